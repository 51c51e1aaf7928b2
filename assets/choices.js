// What was chosen for the volatility panel, kept in the browser: the picture, its columns, the earlier moment, the coin.

const KEY = "tidegate.surface";
const ALLOWED = {
  tab: ["heatmap", "smiles", "term", "3D", "flags"],
  columns: ["strike", "moneyness", "delta"],
  moment: ["", "1", "5", "15", "0"],
};

export const choice = { tab: "heatmap", columns: "strike", moment: "", coin: "", camera: null };

// What is not ours, or no longer there, is not taken.
export function recall() {
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") ?? {};
  } catch {
    return;
  }
  for (const [name, values] of Object.entries(ALLOWED)) if (values.includes(kept[name])) choice[name] = kept[name];
  if (typeof kept.coin === "string") choice.coin = kept.coin;
  const { yaw, pitch, zoom } = kept.camera ?? {};
  if ([yaw, pitch, zoom].every(Number.isFinite)) choice.camera = { yaw, pitch, zoom };
}

export function keep(changed) {
  Object.assign(choice, changed);
  try {
    localStorage.setItem(KEY, JSON.stringify(choice));
  } catch {
    // a browser that keeps nothing shows everything all the same
  }
}

// The part of the view that is looked at: one coin's. Two coins share no axis of strikes.
export function scoped(view) {
  const coins = view.coin.split(" ");
  if (coins.length < 2) return view;
  if (view.scoped?.coin === choice.coin) return view.scoped;
  const coin = coins.includes(choice.coin) ? choice.coin : coins[0];
  const smiles = view.smiles.filter((smile) => smile.code.startsWith(`${coin} `));
  const strikes = [...new Set(smiles.flatMap((smile) => smile.points.map((point) => point.strike)))].sort((a, b) => a - b);
  return (view.scoped = { ...view, coin, smiles, strikes });
}

export const dayOf = (smile) => smile.code.split(" ").at(-1);
