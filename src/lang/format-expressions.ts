/**
 * The layout of expressions, patterns and types. Lines are broken only inside brackets and after operators, `=`, `->`,
 * `then` or before `else`, where a newline never ends an expression.
 */
import { linesOf, type LineItem, type PendingComments } from "./format-comments.ts";
import { bracketed, group, hanging, hardline, indent, line, separated, type Doc } from "./layout.ts";
import { associativity, binding } from "./precedence.ts";
import { textOf } from "./source.ts";
import type { Binder, DimExpr, Expr, Pattern, TypeArg, TypeExpr } from "./syntax.ts";

/** Tighter than any operator. */
const primaryBinding = 10;

/** Where an expression stands: how tightly it must bind, and whether more of the same expression follows it. */
interface Place {
  readonly minimum: number;
  readonly followed: boolean;
}

const anywhere: Place = { minimum: 0, followed: false };
const postfixed: Place = { minimum: primaryBinding, followed: true };

/** An expression, in parentheses where its place needs them. */
export function expressionDoc(expr: Expr, comments: PendingComments, place: Place = anywhere): Doc {
  if (needsParentheses(expr, place)) return ["(", indent(bareDoc(expr, comments, anywhere)), ")"];
  return bareDoc(expr, comments, place);
}

/** `= e` or `-> e`: a block goes on in the same line, anything else on the next one if it must. */
export function bodyDoc(body: Expr, comments: PendingComments): Doc {
  const doc = expressionDoc(body, comments);
  if (hugs(body)) return [" ", doc];
  return endsInBracket(body) ? hanging(doc) : group(indent([line, doc]));
}

function needsParentheses(expr: Expr, { minimum, followed }: Place): boolean {
  return bindingOf(expr) < minimum || (followed && extendsRight(expr));
}

function bindingOf(expr: Expr): number {
  if (expr.kind === "binary") return binding[expr.op];
  if (expr.kind === "unary") return expr.op === "not" ? binding.not : binding.negate;
  return primaryBinding;
}

/** Whether an expression, written without parentheses, would take in what follows it. */
function extendsRight(expr: Expr): boolean {
  switch (expr.kind) {
    case "for":
    case "reduce":
    case "if":
    case "fold-list":
    case "fold-count":
    case "lambda":
      return true;
    case "binary": {
      const place = rightPlace(expr, false);
      return !needsParentheses(expr.right, place) && extendsRight(expr.right);
    }
    case "unary":
      return !needsParentheses(expr.operand, operandPlace(expr, false)) && extendsRight(expr.operand);
    default:
      return false;
  }
}

type Binary = Extract<Expr, { kind: "binary" }>;
type Unary = Extract<Expr, { kind: "unary" }>;

function leftPlace({ op }: Binary): Place {
  return { minimum: binding[op] + (associativity(op) === "left" ? 0 : 1), followed: true };
}

function rightPlace({ op, right }: Binary, followed: boolean): Place {
  // 2 ^ -1 needs no parentheses.
  if (op === "^" && right.kind === "unary" && right.op === "-") return { minimum: 0, followed };
  return { minimum: binding[op] + (associativity(op) === "right" ? 0 : 1), followed };
}

function operandPlace({ op }: Unary, followed: boolean): Place {
  return { minimum: op === "not" ? binding.not : binding.negate + 1, followed };
}

/** Whether an expression ends in a block, whose brace may stay on the line where the expression begins. */
function hugs(expr: Expr): boolean {
  switch (expr.kind) {
    case "block":
      return true;
    case "for":
    case "reduce":
    case "fold-list":
    case "fold-count":
    case "lambda":
      return hugs(expr.body);
    case "if":
      return hugs(expr.yes) || hugs(expr.no);
    default:
      return false;
  }
}

function endsInBracket({ kind }: Expr): boolean {
  return kind === "call" || kind === "struct" || kind === "tuple" || kind === "list";
}

function bareDoc(expr: Expr, comments: PendingComments, place: Place): Doc {
  const doc = (part: Expr) => expressionDoc(part, comments);
  switch (expr.kind) {
    case "number":
      return numberText(expr);
    case "bool":
      return String(expr.value);
    case "name":
      return expr.name;
    case "block":
      return blockDoc(expr, comments);
    case "for":
      return ["for ", bindersDoc(expr.binders, comments), " ->", bodyDoc(expr.body, comments)];
    case "reduce": {
      const binders = bracketed(
        "[",
        expr.binders.map((binder) => binderDoc(binder, comments)),
        "]",
      );
      return [expr.reducer, binders, bodyDoc(expr.body, comments)];
    }
    case "if":
      return conditionalDoc(expr, comments);
    case "fold-list":
      return [
        "fold ",
        patternDoc(expr.accumulator, comments),
        " = ",
        doc(expr.init),
        " for ",
        expr.item.text,
        " in ",
        doc(expr.list),
        " ->",
        bodyDoc(expr.body, comments),
      ];
    case "fold-count":
      return [
        "fold ",
        patternDoc(expr.accumulator, comments),
        " = ",
        doc(expr.init),
        " for ",
        binderDoc(expr.binder, comments),
        " ->",
        bodyDoc(expr.body, comments),
      ];
    case "unary":
      return [
        expr.op === "not" ? "not " : "-",
        expressionDoc(expr.operand, comments, operandPlace(expr, place.followed)),
      ];
    case "binary":
      return chainDoc(expr, comments, place);
    case "index": {
      const items = expr.indices.map(doc);
      const last = items.pop()!;
      if (expr.padding !== null) items.push([last, " | ", doc(expr.padding)]);
      else items.push(last);
      // `max[` would begin a reduction.
      const target = expressionDoc(expr.target, comments, postfixed);
      return [target === "max" || target === "min" ? `(${target})` : target, bracketed("[", items, "]")];
    }
    case "field": {
      // `3.weight` would be a malformed number.
      const target = expressionDoc(expr.target, comments, postfixed);
      return [expr.target.kind === "number" ? ["(", target, ")"] : target, ".", expr.field.text];
    }
    case "call":
      return [expressionDoc(expr.callee, comments, postfixed), argumentsDoc(expr.args, comments)];
    case "tuple":
      return bracketed("(", expr.items.map(doc), ")");
    case "list":
      return bracketed("[", expr.items.map(doc), "]");
    case "struct": {
      const fields = expr.fields.map(({ name, value }): Doc => [name.text, ": ", indent(doc(value))]);
      const spread: Doc[] = expr.spread === null ? [] : [["...", doc(expr.spread)]];
      return [expr.name.text, " ", bracketed("{", [...spread, ...fields], "}", line)];
    }
    case "lambda":
      return [
        "fn (",
        expr.params.map((param) => param.text).join(", "),
        ") ->",
        bodyDoc(expr.body, comments),
      ];
    case "error":
      throw new Error("a program with syntax errors has no layout");
    default:
      return expr satisfies never;
  }
}

/** A number as the author wrote it; its span may hold parentheses and comments besides. */
function numberText(expr: Extract<Expr, { kind: "number" }>): string {
  return textOf(expr.span)
    .replace(/#.*/g, "")
    .replace(/[()\s]/g, "");
}

/** Operators of one precedence in a row, each at the end of its line if they do not fit on one. */
function chainDoc(expr: Binary, comments: PendingComments, place: Place): Doc {
  const links: Binary[] = [];
  let first: Expr = expr;
  while (first.kind === "binary" && (first === expr || continuesChain(first, links.at(-1)!))) {
    links.push(first);
    first = first.left;
  }
  links.reverse();
  const operand = (part: Expr, where: Place): Doc => {
    const doc = expressionDoc(part, comments, where);
    return part.kind === "binary" ? indent(doc) : doc;
  };
  const docs: Doc[] = [operand(first, leftPlace(links[0]!))];
  links.forEach((link, i) => {
    const followed = i < links.length - 1 || place.followed;
    docs.push(` ${link.op}`, line, operand(link.right, rightPlace(link, followed)));
  });
  return group(docs);
}

function continuesChain(left: Binary, outer: Binary): boolean {
  return binding[left.op] === binding[outer.op] && !needsParentheses(left, leftPlace(outer));
}

/** `if … else if … else …` in one line, or each branch on its own. */
function conditionalDoc(expr: Extract<Expr, { kind: "if" }>, comments: PendingComments): Doc {
  const docs: Doc[] = [];
  let rest: Expr = expr;
  for (; rest.kind === "if"; rest = rest.no) {
    docs.push("if ", expressionDoc(rest.condition, comments), " then", bodyDoc(rest.yes, comments));
    docs.push(rest.yes.kind === "block" ? " " : line, "else");
    if (rest.no.kind === "if") docs.push(" ");
  }
  docs.push(bodyDoc(rest, comments));
  return group(docs);
}

/** Arguments on one line or a line each; a single one that ends in a block keeps its brace on the call's line. */
function argumentsDoc(args: readonly Expr[], comments: PendingComments): Doc {
  const docs = args.map((arg) => expressionDoc(arg, comments));
  if (args.filter(hugs).length === 1) return ["(", separated(docs, ", "), ")"];
  return bracketed("(", docs, ")");
}

/** A block; its braces have lines of their own. */
export function blockDoc(block: Extract<Expr, { kind: "block" }>, comments: PendingComments): Doc {
  const lets = block.lets.map((statement): LineItem => ({
    start: statement.span.start,
    end: statement.span.end,
    doc: () => ["let ", patternDoc(statement.pattern, comments), " =", bodyDoc(statement.value, comments)],
  }));
  const { result } = block;
  const last: LineItem = {
    start: result.span.start,
    end: result.span.end,
    doc: () =>
      result.kind === "binary" ? indent(expressionDoc(result, comments)) : expressionDoc(result, comments),
  };
  // Parentheses round a block belong to its span: what is between them and the braces is taken, too.
  const lines = linesOf([...lets, last], block.span.start, block.span.end, comments);
  return ["{", indent([hardline, lines]), hardline, "}"];
}

export function patternDoc(pattern: Pattern, comments: PendingComments): Doc {
  switch (pattern.kind) {
    case "name":
      return pattern.name.text;
    case "tuple":
      return bracketed(
        "(",
        pattern.items.map((item) => patternDoc(item, comments)),
        ")",
      );
    case "indexed":
      return [
        pattern.name.text,
        bracketed(
          "[",
          pattern.binders.map((binder) => binderDoc(binder, comments)),
          "]",
        ),
      ];
    default:
      return pattern satisfies never;
  }
}

function bindersDoc(binders: readonly Binder[], comments: PendingComments): Doc {
  return separated(
    binders.map((binder) => binderDoc(binder, comments)),
    ", ",
  );
}

function binderDoc({ name, from, to }: Binder, comments: PendingComments): Doc {
  if (to === null) return name.text;
  const bounds = from === null ? [to] : [from, to];
  return [
    name.text,
    ": ",
    separated(
      bounds.map((bound) => expressionDoc(bound, comments)),
      " .. ",
    ),
  ];
}

export function typeDoc(type: TypeExpr): Doc {
  switch (type.kind) {
    case "named":
      return type.args === null
        ? type.name.text
        : [type.name.text, bracketed("[", type.args.map(typeArgumentDoc), "]")];
    case "idx": {
      const shape =
        type.shape === null
          ? ""
          : bracketed(
              "[",
              type.shape.map((dim) => dimensionText(dim)),
              "]",
            );
      return ["idx[", dimensionText(type.bound), "]", shape];
    }
    case "tuple":
      return bracketed("(", type.items.map(typeDoc), ")");
    case "list":
      return ["[", typeDoc(type.item), "; ", dimensionText(type.length), "]"];
    case "function":
      return ["fn", bracketed("(", type.params.map(typeDoc), ")"), " -> ", typeDoc(type.result)];
    default:
      return type satisfies never;
  }
}

function typeArgumentDoc(arg: TypeArg): Doc {
  return arg.kind === "dim" ? dimensionText(arg.dim) : typeDoc(arg.type);
}

/** A dimension, in parentheses if it binds less tightly than `minimum`. */
function dimensionText(dim: DimExpr, minimum = 0): string {
  if (dim.kind === "number") return String(dim.value);
  if (dim.kind === "name") return dim.name;
  const tightness = binding[dim.op];
  const text = `${dimensionText(dim.left, tightness)} ${dim.op} ${dimensionText(dim.right, tightness + 1)}`;
  return tightness < minimum ? `(${text})` : text;
}
