// A click becomes a command: put into a free lane, answered in the same. Nothing is shown as done before it is.

const LANES = 6; // as in components/link.py; lane 0 is the kill switch's
const PATIENCE_MS = 12_000;
const busy = new Array(LANES).fill(null);
const queue = [];
let count = 0;
const page = Math.random().toString(36).slice(2, 8);

export const command = (verb) => put({ verb });
export const work = (job) => put({ work: job });
export const drive = (what, value = 0) => put({ drive: { do: what, value } });

function put(said) {
  return new Promise((settle) => {
    const order = { id: `${page}-${++count}`, said, settle };
    if (said.verb?.do === "kill") send(order, 0);
    else queue.push(order);
    next();
  });
}

function next() {
  for (let lane = 1; lane < LANES && queue.length; lane++) if (!busy[lane]) send(queue.shift(), lane);
}

function send(order, lane) {
  order.patience = setTimeout(() => {
    free(lane, order, { ok: false, text: "no answer came: look at the blotter before you try again" });
  }, PATIENCE_MS);
  busy[lane] = order;
  window.dash_clientside.set_props({ type: "command", lane }, { data: { id: order.id, ...order.said } });
}

function free(lane, order, answer) {
  clearTimeout(order.patience);
  if (busy[lane] === order) busy[lane] = null;
  order.settle(answer);
  next();
}

// Called by Dash with the answers of all lanes.
export function answered(answers) {
  answers.forEach((answer, lane) => {
    if (answer && busy[lane]?.id === answer.id) free(lane, busy[lane], answer);
  });
}

// Hold `button` while the engine is asked; hand its answer on.
export async function press(button, verb, told) {
  button.disabled = true;
  button.classList.add("pending");
  const answer = await command(verb);
  button.disabled = false;
  button.classList.remove("pending");
  told?.(answer);
  return answer;
}
