/**
 * Text with possible line breaks, laid out to a width (Wadler, "A prettier printer", 2003).
 *
 *     group(["f(", indent([softline, "x,", line, "y"]), softline, ")"])      f(x, y)     or     f(
 *                                                                                                 x,
 *                                                                                                 y
 *                                                                                               )
 * A group is written on one line if it fits; else all of its own breaks become newlines, and the groups in it are
 * decided one by one.
 */

/** A piece of layout. */
export type Doc =
  | string
  | readonly Doc[]
  /** A newline, or `flat` when its group fits on one line; `hard` never fits. */
  | { readonly kind: "line"; readonly flat: string; readonly hard: boolean }
  | { readonly kind: "indent"; readonly doc: Doc }
  | { readonly kind: "group"; readonly doc: Doc; readonly broken: boolean }
  /** After a space on the same line, or on the next; where it fits on neither, broken on the same line. */
  | { readonly kind: "hanging"; readonly doc: Doc; readonly broken: boolean }
  /** Text for the end of the line, whatever else comes on it: a comment. */
  | { readonly kind: "trailing"; readonly text: string };

/** A space or a newline. */
export const line: Doc = { kind: "line", flat: " ", hard: false };
/** Nothing or a newline. */
export const softline: Doc = { kind: "line", flat: "", hard: false };
/** A newline; the groups round it are broken. */
export const hardline: Doc = { kind: "line", flat: "", hard: true };

const step = 2;

/** One line if possible. */
export function group(doc: Doc): Doc {
  return { kind: "group", doc, broken: isBroken(doc) };
}

/** What ends in a bracket and follows `=` or `->`: rather its brackets are broken than the line before it. */
export function hanging(doc: Doc): Doc {
  return { kind: "hanging", doc, broken: isBroken(doc) };
}

/** The newlines in it are followed by two more spaces. */
export function indent(doc: Doc): Doc {
  return { kind: "indent", doc };
}

/** A comment at the end of the line. */
export function trailing(text: string): Doc {
  return { kind: "trailing", text };
}

/** The pieces with `separator` between them. */
export function separated(docs: readonly Doc[], separator: Doc): Doc {
  return docs.flatMap((doc, i) => (i === 0 ? [doc] : [separator, doc]));
}

/** `(a, b)`: on one line, or an item a line; `edge` stands inside the brackets. */
export function bracketed(open: string, items: readonly Doc[], close: string, edge: Doc = softline): Doc {
  if (items.length === 0) return open + close;
  return group([open, indent([edge, separated(items, [",", line])]), edge, close]);
}

/** Whether a doc holds a newline that can't be avoided. */
export function isBroken(doc: Doc): boolean {
  if (typeof doc === "string") return false;
  if ("kind" in doc) {
    if (doc.kind === "line") return doc.hard;
    if (doc.kind === "group" || doc.kind === "hanging") return doc.broken;
    return doc.kind === "indent" && isBroken(doc.doc);
  }
  return doc.some(isBroken);
}

interface Command {
  readonly doc: Doc;
  readonly indentation: number;
  readonly flat: boolean;
}

/** The text of a doc in lines of at most `width` columns where that is possible, without spaces at their ends. */
export function layOut(root: Doc, width: number): string {
  const output: string[] = [];
  const pending: Command[] = [{ doc: root, indentation: 0, flat: false }];
  let column = 0;
  let comment = "";
  for (let command = pending.pop(); command !== undefined; command = pending.pop()) {
    const { doc, indentation, flat } = command;
    if (typeof doc === "string") {
      output.push(doc);
      column += doc.length;
    } else if (!("kind" in doc)) {
      pushAll(pending, doc, indentation, flat);
    } else if (doc.kind === "indent") {
      pending.push({ doc: doc.doc, indentation: indentation + step, flat });
    } else if (doc.kind === "group") {
      const one: Command = { doc: doc.doc, indentation, flat: true };
      const oneLine = flat || (!doc.broken && fits(one, pending, width - column));
      pending.push(oneLine ? one : { ...one, flat: false });
    } else if (doc.kind === "hanging") {
      const one: Command = { doc: [" ", doc.doc], indentation, flat: true };
      const below: Command = { doc: [hardline, doc.doc], indentation: indentation + step, flat: true };
      const fitsOn = (placed: Command, room: number) =>
        !doc.broken && fits({ ...placed, doc: doc.doc }, pending, room);
      if (flat || fitsOn(one, width - column - 1)) pending.push(one);
      else pending.push(fitsOn(below, width - below.indentation) ? below : { ...one, flat: false });
    } else if (doc.kind === "trailing") {
      comment += `  ${doc.text}`;
    } else if (flat && !doc.hard) {
      output.push(doc.flat);
      column += doc.flat.length;
    } else {
      output.push(comment, "\n", " ".repeat(indentation));
      comment = "";
      column = indentation;
    }
  }
  output.push(comment);
  return output.join("").replace(/[ \t]+$/gm, "");
}

function pushAll(pending: Command[], docs: readonly Doc[], indentation: number, flat: boolean): void {
  for (let i = docs.length - 1; i >= 0; i--) pending.push({ doc: docs[i]!, indentation, flat });
}

/** Whether `first`, and what follows it up to the next possible newline, takes at most `room` columns. */
function fits(first: Command, following: readonly Command[], room: number): boolean {
  const pending = [first];
  let next = following.length - 1;
  let left = room;
  while (left >= 0) {
    let command = pending.pop();
    if (command === undefined) {
      command = following[next--];
      if (command === undefined) return true;
    }
    const { doc, indentation, flat } = command;
    if (typeof doc === "string") left -= doc.length;
    else if (!("kind" in doc)) pushAll(pending, doc, indentation, flat);
    else if (doc.kind === "indent") pending.push({ doc: doc.doc, indentation, flat });
    else if (doc.kind === "group") pending.push({ doc: doc.doc, indentation, flat: flat && !doc.broken });
    else if (doc.kind === "hanging") {
      if (!flat) return true;
      pending.push({ doc: [" ", doc.doc], indentation, flat });
    } else if (doc.kind === "line") {
      if (!flat || doc.hard) return true;
      left -= doc.flat.length;
    }
  }
  return false;
}
