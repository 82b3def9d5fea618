/** Something that is wrong, or that is not as it should be: a gateway may run all the same, until it bites. */
export type Finding = {
  /** What was looked at, to find it by. */
  check: string;
  level: 'error' | 'warning';
  what: string;
  why: string;
  fix: string;
};

type Told = Omit<Finding, 'level'>;

export function error(check: string, told: Omit<Told, 'check'>): Finding {
  return { check, level: 'error', ...told };
}

export function warning(check: string, told: Omit<Told, 'check'>): Finding {
  return { check, level: 'warning', ...told };
}
