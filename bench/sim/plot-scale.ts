/** Axes: values to pixels, and round numbers to write beside them. */

export interface Scale {
  /** Pixel of a value; values beyond the axis lie on its end. */
  at(value: number): number;
  isOut(value: number): boolean;
  ticks: number[];
}

const TICKS = 5;
const LOG_TICKS = [0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 60, 100, 200];

/** Creates an even axis over the values; a single value gets some room around it. */
export function createLinearScale([least, most]: [number, number], pixels: [number, number]): Scale {
  const room = most > least ? 0 : Math.max(Math.abs(most), 1) * 0.1;
  const [from, to] = [least - room, most + room];
  const step = roundStep((to - from) / TICKS);
  const first = Math.ceil(from / step);
  const last = Math.floor(to / step);
  const ticks = Array.from({ length: last - first + 1 }, (_, place) => Number(((first + place) * step).toPrecision(10)));
  return createScale((value) => (value - from) / (to - from), pixels, ticks);
}

/** Creates an axis on which equal ratios are equally long. Values must be positive. */
export function createLogScale([least, most]: [number, number], pixels: [number, number]): Scale {
  const room = most > least ? 1 : 1.5;
  const [from, to] = [Math.log(least / room), Math.log(most * room)];
  const ticks = LOG_TICKS.filter((tick) => Math.log(tick) >= from && Math.log(tick) <= to);
  return createScale((value) => (Math.log(value) - from) / (to - from), pixels, ticks);
}

function createScale(shareOf: (value: number) => number, [start, end]: [number, number], ticks: number[]): Scale {
  return {
    at: (value) => start + Math.min(1, Math.max(0, shareOf(value))) * (end - start),
    isOut: (value) => shareOf(value) < -1e-9 || shareOf(value) > 1 + 1e-9,
    ticks,
  };
}

/** The round number (1, 2 or 5 times a power of ten) next above a step. */
function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return ([1, 2, 5, 10].find((factor) => factor * power >= step) ?? 10) * power;
}
