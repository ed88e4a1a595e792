/** What a zod issue says to a caller: one sentence and the field it is about. Values of the request are never repeated. */
import type { z } from 'zod';

/** A problem of the request: `path` as the caller would write it (`messages.0.role`), empty for the body itself. */
export interface Problem {
  path: string;
  sentence: string;
}

type Issue = z.core.$ZodIssue;

/** Allowed values beyond this are not worth listing. */
const LISTED_VALUES_MAX = 40;

/** Describes the first problem of a failed parse. Of several about the same field a wrong type says most, else the last is the most exact. */
export function describeProblem(error: z.core.$ZodError): Problem {
  const problems = error.issues.map((issue) => ({ ...describe(issue, []), isWrongType: issue.code === 'invalid_type' }));
  const [first] = problems;
  if (first === undefined) return { path: '', sentence: 'is not valid' };
  const same = problems.filter((problem) => problem.path === first.path);
  const { path, sentence } = same.find((problem) => problem.isWrongType) ?? same.at(-1) ?? first;
  return { path, sentence };
}

function describe(issue: Issue, prefix: readonly PropertyKey[]): Problem {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'invalid_union') {
    const meant = meantBranch(issue.errors);
    if (meant) return describe(meant, path);
  }
  if (issue.code === 'unrecognized_keys') path.push(...issue.keys.slice(0, 1));
  return { path: path.map(String).join('.').slice(0, 200), sentence: sentenceOf(issue) };
}

/** Picks the branch that the caller meant: the one that went deepest before it failed, or that found the right type. Undefined when none did. */
function meantBranch(branches: readonly (readonly Issue[])[]): Issue | undefined {
  const firsts = branches.flatMap((branch) => branch.slice(0, 1));
  return firsts.filter(wentIn).sort((a, b) => b.path.length - a.path.length || positionOf(b) - positionOf(a))[0];
}

function wentIn({ code, path }: Issue): boolean {
  return path.length > 0 || !['invalid_type', 'invalid_value', 'invalid_union'].includes(code);
}

/** How far into a list an issue is; 0 outside lists. */
function positionOf({ path: [position] }: Issue): number {
  return typeof position === 'number' ? position : 0;
}

function sentenceOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('received undefined') ? 'is required' : issue.message.replace('Invalid input: ', '');
    case 'invalid_value':
      return isOurs(issue) ? issue.message : `expected ${expectation(issue)}`;
    case 'unrecognized_keys':
      return 'is not a known field';
    case 'too_small':
    case 'too_big':
      return issue.message.replace(/^Too (small|big): /, '');
    case 'invalid_union':
      if ('options' in issue && Array.isArray(issue.options)) return `expected one of ${listValues(issue.options)}`;
      return `expected ${[...new Set(issue.errors.flatMap((branch) => branch.slice(0, 1)).map(expectation))].join(' or ')}`;
    default:
      return issue.message;
  }
}

/** Tells a sentence that a contract brings along from zod's own. */
function isOurs({ message }: Issue): boolean {
  return !message.startsWith('Invalid ');
}

function expectation(issue: Issue): string {
  if (issue.code === 'invalid_value') return `one of ${listValues(issue.values)}`;
  if (issue.code === 'invalid_type') return issue.expected;
  return issue.message;
}

function listValues(values: readonly unknown[]): string {
  const shown = values.slice(0, LISTED_VALUES_MAX).map((value) => JSON.stringify(value));
  return values.length > shown.length ? `${shown.join(', ')} …` : shown.join(', ');
}
