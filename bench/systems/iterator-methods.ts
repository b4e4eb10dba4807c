/** Methods of iterators that Node has from 22 on and jax-js calls. */

type Step = (value: unknown, index: number) => unknown;

const methods: Readonly<Record<string, (this: Iterable<unknown>, step: Step) => unknown>> = {
  *map(step) {
    let i = 0;
    for (const value of this) yield step(value, i++);
  },
  *filter(step) {
    let i = 0;
    for (const value of this) if (step(value, i++) === true) yield value;
  },
  toArray() {
    return [...this];
  },
  forEach(step) {
    [...this].forEach(step);
  },
  some(step) {
    return [...this].some(step);
  },
  every(step) {
    return [...this].every(step);
  },
  find(step) {
    return [...this].find(step);
  },
};

export function addIteratorMethods(): void {
  const prototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;
  for (const [name, value] of Object.entries(methods))
    if (!(name in prototype)) Object.defineProperty(prototype, name, { value, configurable: true });
}
