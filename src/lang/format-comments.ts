/**
 * Where comments go when a program is laid out anew. A comment belongs to the item (declaration, field, statement) that
 * it precedes, that it follows on one line, or in which it stands; in the last case it moves to before the item.
 */
import { hardline, trailing, type Doc } from "./layout.ts";
import { ownsLine } from "./recovery.ts";
import type { SourceFile } from "./source.ts";
import type { Comment } from "./syntax.ts";

/** Something that has lines of its own. */
export interface LineItem {
  readonly start: number;
  readonly end: number;
  /** Called once, in order; items in it take their comments meanwhile. */
  readonly doc: () => Doc;
  /** Whether an empty line must stand before it, wherever the author left none. */
  readonly apart?: boolean;
}

/** The comments of a file that have not been written yet. */
export interface PendingComments {
  readonly file: SourceFile;
  readonly comments: readonly Comment[];
  readonly written: Set<Comment>;
}

/** Takes the comments that begin in `[from, to)`. */
export function takeComments(pending: PendingComments, from: number, to: number): Comment[] {
  const { comments, written } = pending;
  let low = 0;
  let high = comments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (comments[middle]!.span.start < from) low = middle + 1;
    else high = middle;
  }
  const taken: Comment[] = [];
  for (
    let comment = comments[low];
    comment !== undefined && comment.span.start < to;
    comment = comments[++low]
  ) {
    if (!written.has(comment)) taken.push(comment);
    written.add(comment);
  }
  return taken;
}

/** Items and comments from `start` to `end`, each on lines of its own; one empty line is kept where there were any. */
export function linesOf(
  items: readonly LineItem[],
  start: number,
  end: number,
  pending: PendingComments,
): Doc {
  const { file } = pending;
  const lines: { readonly doc: Doc; readonly apart: boolean }[] = [];
  let from = start;
  items.forEach((item, i) => {
    const before = takeComments(pending, from, item.start);
    const doc = item.doc();
    const inside = takeComments(pending, item.start, item.end);
    const after = takeTrailing(pending, item.end, items[i + 1]?.start ?? end);

    let apart = item.apart ?? false;
    const docs = attached(file, before, item.start);
    for (const comment of before) {
      const text = commentText(comment, docs.has(comment));
      lines.push({ doc: text, apart: apart || followsEmptyLine(file, comment.span.start) });
      apart = false;
    }
    apart ||= followsEmptyLine(file, item.start);
    for (const comment of inside) {
      lines.push({ doc: commentText(comment, false), apart });
      apart = false;
    }
    lines.push({ doc: after === null ? doc : [doc, trailing(after.text.trimEnd())], apart });
    from = item.end;
  });
  for (const comment of takeComments(pending, from, end)) {
    lines.push({ doc: commentText(comment, true), apart: followsEmptyLine(file, comment.span.start) });
  }
  return lines.map(({ doc, apart }, i) => (i === 0 ? doc : [apart ? [hardline, hardline] : hardline, doc]));
}

/** Comments on lines of their own, without empty lines between them. */
export function commentLines(comments: readonly Comment[]): Doc[] {
  return comments.flatMap((comment) => [commentText(comment, false), hardline]);
}

/** A comment that follows on the line where something ends. */
function takeTrailing(pending: PendingComments, end: number, limit: number): Comment | null {
  const { text } = pending.file;
  const newline = text.indexOf("\n", end);
  return takeComments(pending, end, Math.min(limit, newline < 0 ? text.length : newline))[0] ?? null;
}

/** The comments that have their lines to themselves, with nothing but comments up to the item that begins at `start`. */
function attached(file: SourceFile, comments: readonly Comment[], start: number): Set<Comment> {
  const result = new Set<Comment>();
  let next = start;
  for (const comment of comments.toReversed()) {
    if (file.text.slice(comment.span.end, next).trim() !== "") break;
    if (ownsLine(file, comment.span)) result.add(comment);
    next = comment.span.start;
  }
  return result;
}

/** A doc comment that moves must not become the documentation of what follows: it loses a `#`. */
function commentText(comment: Comment, keepsDoc: boolean): string {
  const text = comment.text.trimEnd();
  return keepsDoc || !comment.doc ? text : text.replace(/^#+/, "#");
}

function followsEmptyLine(file: SourceFile, offset: number): boolean {
  const space = /\s*$/.exec(file.text.slice(Math.max(0, offset - 500), offset))![0];
  return space.split("\n").length > 2;
}
