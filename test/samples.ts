import type { TestApp } from './harness.js';

export type Sample = { name: string; labels: Record<string, string>; value: number };

export type Metric = { name: string; type: string; help: string; samples: Sample[] };

/** What `/metrics` says, by Prometheus' text format. */
export class Metrics {
  readonly all: readonly Metric[];

  constructor(text: string) {
    this.all = parse(text);
  }

  get samples(): Sample[] {
    return this.all.flatMap(({ samples }) => samples);
  }

  /** The sum of all samples of a name that have the labels. */
  sum(name: string, labels: Record<string, string> = {}): number {
    return this.find(name, labels).reduce((sum, { value }) => sum + value, 0);
  }

  find(name: string, labels: Record<string, string> = {}): Sample[] {
    const isMeant = (sample: Sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value);
    return this.samples.filter(isMeant);
  }
}

export async function scrape(app: TestApp, headers: Record<string, string> = {}): Promise<Metrics> {
  const { status, text } = await app.rest('GET', '/metrics', { headers });
  if (status !== 200) throw new Error(`/metrics answered ${status}: ${text}`);
  return new Metrics(text);
}

const suffixes = ['', '_bucket', '_sum', '_count'];

/** @throws Error for a line that is none of the format, or stands where it does not belong */
function parse(text: string): Metric[] {
  const metrics: Metric[] = [];
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const [, helpName, help] = /^# HELP (\w+) (.+)$/.exec(line) ?? [];
    const [, typeName, type] = /^# TYPE (\w+) (counter|gauge|histogram)$/.exec(line) ?? [];
    const metric = metrics.at(-1);
    if (helpName && help) metrics.push({ name: helpName, help, type: '', samples: [] });
    else if (type && metric && metric.name === typeName) metric.type = type;
    else {
      const sample = parseSample(line);
      if (!metric || !suffixes.some((suffix) => sample.name === metric.name + suffix)) throw new Error(line);
      metric.samples.push(sample);
    }
  }
  return metrics;
}

function parseSample(line: string): Sample {
  const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  const number = Number(value);
  const isNumber = !Number.isNaN(number) || value === 'Nan';
  const isSample = name !== undefined && isNumber && /^((^|,)\w+="([^"\\\n]|\\.)*")*$/.test(labels);
  if (!isSample) throw new Error(`This is no sample: ${line}`);
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
  return { name, labels: Object.fromEntries(pairs.map(([, label, text]) => [label, text])), value: number };
}
