// Where a point of the unit box lies on a canvas: turned, tilted, without perspective, so that heights compare.

const WIDE = 0.236; // of the canvas's width that half the floor takes
const TALL = 0.42;
const LEAST_RISE = 0.9; // of half the floor that the height takes; more where the canvas is tall
const MOST_RISE = 1.9;
const ROOM = 0.86; // of the canvas's height that floor and height take as they are first seen
const SEEN = { sin: Math.sin(0.5), cos: Math.cos(0.5) };

// (x, y in −1…1 on the floor, z in 0…1 above it) → pixels and how near it is.
export function place({ yaw, pitch, zoom }, w, h) {
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  const size = Math.min(w * WIDE, h * TALL);
  const rise = Math.max(LEAST_RISE, Math.min(MOST_RISE, (h * ROOM - 2 * Math.SQRT2 * SEEN.sin * size) / (SEEN.cos * size)));
  return (x, y, z) => {
    const [across, away] = [x * cy - y * sy, x * sy + y * cy];
    const up = (z - 0.5) * rise;
    return { x: w / 2 + across * size * zoom * 1.15, y: h / 2 + (away * sp - up * cp) * size * zoom, depth: away * cp + up * sp };
  };
}
