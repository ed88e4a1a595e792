/** A Prometheus histogram in seconds. */

const BUCKETS_S = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];

/** Counts observations in buckets. */
export interface Histogram {
  observe(seconds: number): void;
  /** Renders the sample lines under `name`; `labels` as they stand between the braces. */
  render(name: string, labels: string): string[];
}

/** Creates an empty histogram. */
export function createHistogram(): Histogram {
  const counts = BUCKETS_S.map(() => 0);
  let count = 0;
  let sumS = 0;
  return {
    observe(seconds) {
      count += 1;
      sumS += seconds;
      BUCKETS_S.forEach((bound, index) => {
        if (seconds <= bound) counts[index] = (counts[index] ?? 0) + 1;
      });
    },
    render(name, labels) {
      return [
        `# TYPE ${name} histogram`,
        ...BUCKETS_S.map((bound, index) => `${name}_bucket{${labels},le="${bound}"} ${counts[index]}`),
        `${name}_bucket{${labels},le="+Inf"} ${count}`,
        `${name}_sum{${labels}} ${sumS}`,
        `${name}_count{${labels}} ${count}`,
      ];
    },
  };
}
