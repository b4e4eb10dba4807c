/**
 * Pieces of WGSL text. Every expression is a primary one, which may stand anywhere: an operator's is in parentheses, and
 * whoever puts brackets of his own around an expression, or knows which operator binds tighter, takes them off again.
 *
 *     infix(infix("row", "*", "64"), "+", "k")     // (row * 64 + k)
 *     call("max", infix("a", "+", "b"), "0.0")     // max(a + b, 0.0)
 */

/** How tightly an operator binds. WGSL lets one mix comparisons and arithmetic without parentheses, but nothing with the rest. */
const precedence: Readonly<Record<string, number>> = {
  "==": 1,
  "!=": 1,
  "<": 1,
  "<=": 1,
  ">": 1,
  ">=": 1,
  "&": 2,
  "|": 2,
  "^": 2,
  "<<": 2,
  ">>": 2,
  "+": 3,
  "-": 3,
  "*": 4,
  "/": 4,
  "%": 4,
};
const comparison = 1;
const bitwise = 2;
const prefix = 5;

/** The expression without the parentheses around the whole of it, for a place that needs none. */
export function bare(text: string): string {
  return isParenthesised(text) ? text.slice(1, -1) : text;
}

/**
 * `name(args)`. A comparison loses its parentheses in the last place only: `f(a < b, c > d)` would be read as a template,
 * `a<b, c>`.
 */
export function call(name: string, ...args: readonly string[]): string {
  const texts = args.map((arg, place) => {
    const loosest = place === args.length - 1 ? comparison : bitwise;
    return looseness(arg) >= loosest ? bare(arg) : arg;
  });
  return `${name}(${texts.join(", ")})`;
}

/** `(a operator b)`. Operators of one precedence group to the left, as WGSL reads them, and never otherwise: floats do not associate. */
export function infix(a: string, operator: string, b: string): string {
  const own = precedence[operator] ?? 0;
  if (own === bitwise) return `(${a} ${operator} ${b})`;
  const left = looseness(a) >= Math.max(own, bitwise + 1) ? bare(a) : a;
  // `a - 2147483648` has no meaning in i32, while `a + (-2147483648)` has.
  const positive = b === "(-2147483648)" ? undefined : /^\(-([0-9][0-9a-z.]*)\)$/.exec(b)?.[1];
  if (operator === "+" && positive !== undefined) return `(${left} - ${positive})`;
  const tight = looseness(b);
  const right = tight > Math.max(own, bitwise) && tight < prefix ? bare(b) : b;
  return `(${left} ${operator} ${right})`;
}

function isParenthesised(text: string): boolean {
  if (!text.startsWith("(")) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "(") depth++;
    else if (text[at] === ")" && --depth === 0) return at === text.length - 1;
  }
  return false;
}

/** The lowest precedence inside the outer parentheses; 0 where they must stay or there are none. */
function looseness(text: string): number {
  if (!isParenthesised(text)) return 0;
  let depth = 0;
  let loosest = prefix;
  for (const word of text.slice(1, -1).split(" ")) {
    if (depth === 0 && /^[^\w\s([]+$/.test(word)) loosest = Math.min(loosest, precedence[word] ?? 0);
    for (const character of word) {
      if (character === "(" || character === "[") depth++;
      else if (character === ")" || character === "]") depth--;
    }
  }
  return loosest;
}
