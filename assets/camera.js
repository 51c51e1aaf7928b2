// Where a point of the unit box lies on a canvas: turned, tilted, without perspective, so that heights compare.

const WIDE = 0.228; // of the canvas's width that half the floor takes
const TALL = 0.43;
const RISE = 0.9; // of half the floor that the height takes

// (x, y in −1…1 on the floor, z in 0…1 above it) → pixels and how near it is.
export function place({ yaw, pitch, zoom }, w, h) {
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  const size = Math.min(w * WIDE, h * TALL) * zoom;
  return (x, y, z) => {
    const [across, away] = [x * cy - y * sy, x * sy + y * cy];
    const up = (z - 0.5) * 2 * RISE * 0.5;
    return { x: w / 2 + across * size * 1.15, y: h / 2 + (away * sp - up * cp) * size, depth: away * cp + up * sp };
  };
}
