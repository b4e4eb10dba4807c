/**
 * Scopes free the tensors that were made in them and not returned.
 *
 *     const loss = await device.scope(async () => { const [loss, state] = await step.run(…); return loss; });   // frees state
 */
import { TensorError } from "./errors.ts";

/** Something with memory of its own. */
export interface Resource {
  readonly free: () => void;
}

/** The scopes of a device. */
export interface Scopes {
  /** Enters a resource in the innermost scope, if there is one. */
  readonly enter: (resource: Resource) => void;
  /**
   * Runs `body` in a scope of its own. Scopes nest; two that overlap otherwise are refused when the first of
   * them ends.
   */
  readonly run: <T>(body: () => Promise<T>) => Promise<T>;
}

/** The scopes of one device; none is open. */
export function openScopes(): Scopes {
  const open: Set<Resource>[] = [];
  const enter = (resource: Resource): void => {
    open.at(-1)?.add(resource);
  };
  const run = async <T>(body: () => Promise<T>): Promise<T> => {
    const made = new Set<Resource>();
    open.push(made);
    const leave = (): void => {
      const isInnermost = open.at(-1) === made;
      open.splice(open.indexOf(made), 1);
      if (isInnermost) return;
      throw new TensorError(
        "device.scope: a scope ended while one that began later was open; scopes nest: await one before beginning another",
      );
    };
    let result: T;
    try {
      result = await body();
    } catch (error) {
      leave();
      made.forEach((resource) => resource.free());
      throw error;
    }
    leave();
    const kept = reachable(result, made);
    for (const resource of made)
      if (kept.has(resource)) enter(resource);
      else resource.free();
    return result;
  };
  return { enter, run };
}

/** The resources in a result: itself, or in its arrays, maps, sets and plain objects. */
function reachable(result: unknown, made: ReadonlySet<Resource>): ReadonlySet<Resource> {
  const found = new Set<Resource>();
  const seen = new Set<object>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    seen.add(value);
    if (made.has(value as Resource)) found.add(value as Resource);
    else if (Array.isArray(value) || value instanceof Set) value.forEach(visit);
    else if (value instanceof Map) for (const entry of value) entry.forEach(visit);
    else if (!ArrayBuffer.isView(value)) Object.values(value).forEach(visit);
  };
  visit(result);
  return found;
}
