// Numbers and times as a trader reads them: true minus, thin spaces between thousands, UTC.

const MINUS = "−";
const THIN = "\u2009"; // between thousands
const DASH = "–";

export const known = (value) => value !== null && value !== undefined && Number.isFinite(value);

function grouped(text) {
  const [whole, part] = text.split(".");
  const spaced = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, THIN) : whole;
  return part ? `${spaced}.${part}` : spaced;
}

export function number(value, digits = 0) {
  if (!known(value)) return DASH;
  const text = grouped(Math.abs(value).toFixed(digits));
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

export function signed(value, digits = 0) {
  if (!known(value)) return DASH;
  const text = number(value, digits);
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

// A change in the room of a cell: +.04, −1.6, +12
export function brief(value) {
  if (!known(value)) return DASH;
  const size = Math.abs(value);
  if (size < 0.005) return "0";
  return signed(value, size < 0.995 ? 2 : size < 9.95 ? 1 : 0).replace("0.", ".");
}

// 310000 → 310 k, 12.5 → 12.5
export function amount(value) {
  if (!known(value)) return DASH;
  const size = Math.abs(value);
  if (size >= 1e6) return `${number(value / 1e6, 2)} M`;
  if (size >= 1e5) return `${number(value / 1e3, 0)} k`;
  return number(value, Number.isInteger(value) ? 0 : 1);
}

export const percent = (share, digits = 0) => (known(share) ? `${number(share * 100, digits)} %` : DASH);

const two = (n) => String(n).padStart(2, "0");

export function clock(ms, tenths = false) {
  if (!known(ms)) return DASH;
  const d = new Date(ms);
  const tail = tenths ? `.${Math.floor(d.getUTCMilliseconds() / 100)}` : "";
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}${tail}`;
}

export const millis = (ms) => `${clock(ms)}.${String(new Date(ms).getUTCMilliseconds()).padStart(3, "0")}`;
export const day = (ms) => new Date(ms).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
export const hm = (ms) => clock(ms).slice(0, 5);

// A stretch of time: 21:07:44, or 3 d 04:00 beyond two days
export function span(ms) {
  if (!known(ms)) return DASH;
  const s = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(s / 3600);
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${two(hours % 24)}:${two(Math.floor(s / 60) % 60)}`;
  return `${two(hours)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

export const strike = (k) => (k >= 10000 && k % 1000 === 0 ? `${k / 1000}k` : k >= 10000 ? `${(k / 1000).toFixed(1)}k` : `${k}`);

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

export function expiryDay(ms) {
  const d = new Date(ms);
  return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]} ${two(d.getUTCFullYear() % 100)}`;
}
