/**
 * One source line with its labels, drawn in a fixed-width grid:
 *
 *     w[i, k] * x[k]
 *        ─        ─ d here          the last label's text stands beside its underline,
 *        │
 *        c here                     the others' hang below theirs
 *
 * The grid counts terminal columns, not characters: tabs are widened, wide characters take two columns, and what
 * has no picture of its own (NUL, controls, lone surrogates) is given one.
 */
import type { Label } from "./diagnostic.ts";
import type { Palette } from "./render.ts";

/** A label that knows whether it is the place of the mistake or tells where something came from. */
export interface MarkedLabel extends Label {
  readonly primary: boolean;
}

/** A row of source and the rows of marks below it. */
export interface Excerpt {
  readonly source: string;
  readonly marks: readonly string[];
}

/** A character of the line: what is shown for it and the columns this takes. */
interface Cell {
  readonly offset: number;
  readonly shown: string;
  readonly column: number;
  readonly columns: number;
}

/** A label's underline, in columns; `to` is exclusive. */
interface Mark {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly primary: boolean;
}

const tabWidth = 2;

/**
 * The excerpts of one line: a single one, unless the line is wider than `width` and its labels are too far apart to be
 * seen together. `lineStart` is the line's offset in its file.
 */
export function drawExcerpts(
  text: string,
  lineStart: number,
  labels: readonly MarkedLabel[],
  width: number,
  palette: Palette,
): Excerpt[] {
  const excerpts: Excerpt[] = [];
  let pending = [...labels].sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
  while (pending.length > 0) {
    // Of a very long line only the part that could be seen is measured.
    const first = pending[0]!.span.start - lineStart;
    const whole = text.length <= 4 * width;
    const sliceStart = whole ? 0 : Math.max(0, first - width);
    const slice = whole ? text : text.slice(sliceStart, first + 2 * width);
    const cells = cellsOf(slice);
    const total = columnsOf(cells);

    const marks = pending.map((label) => markOf(label, lineStart + sliceStart, cells, slice.length));
    const isCut = !whole || total > width;
    const start = isCut ? Math.max(0, Math.min(marks[0]!.from - Math.floor(width / 4), total - width)) : 0;
    const end = isCut ? start + width : Math.max(total, ...marks.map((mark) => mark.to));
    const left = sliceStart + start > 0 ? "…" : "";
    const right = end < total || sliceStart + slice.length < text.length ? "…" : "";
    const isSeen = (label: MarkedLabel, i: number) =>
      i === 0 || (marks[i]!.from < end && label.span.start - lineStart - sliceStart <= slice.length);
    const seen = marks
      .filter((_, i) => isSeen(pending[i]!, i))
      .map((mark) => {
        const from = mark.from - start + left.length;
        return { ...mark, from, to: Math.max(from + 1, Math.min(mark.to, end) - start + left.length) };
      });
    excerpts.push({
      source: left + shownBetween(cells, start, end) + right,
      marks: drawMarks(seen, palette),
    });
    pending = pending.filter((label, i) => !isSeen(label, i));
  }
  return excerpts;
}

/** A text with a picture in place of every character that has none, for messages that quote the program. */
export function visible(text: string): string {
  return [...text].map(pictureOf).join("");
}

function cellsOf(text: string): Cell[] {
  const cells: Cell[] = [];
  let offset = 0;
  let column = 0;
  for (const character of text) {
    const shown = pictureOf(character);
    const columns = [...shown].reduce((sum, part) => sum + widthOf(part), 0);
    cells.push({ offset, shown, column, columns });
    offset += character.length;
    column += columns;
  }
  return cells;
}

function columnsOf(cells: readonly Cell[]): number {
  const last = cells.at(-1);
  return last === undefined ? 0 : last.column + last.columns;
}

/** The text in a window of columns; a wide character that its edge would cut becomes spaces. */
function shownBetween(cells: readonly Cell[], start: number, end: number): string {
  return cells
    .map((cell) => {
      const from = Math.max(cell.column, start);
      const to = Math.min(cell.column + cell.columns, end);
      if (to - from === cell.columns) return cell.column >= start && cell.column <= end ? cell.shown : "";
      return " ".repeat(Math.max(0, to - from));
    })
    .join("");
}

function pictureOf(character: string): string {
  const code = character.codePointAt(0)!;
  if (character === "\t") return " ".repeat(tabWidth);
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "␡";
  // Lone surrogates, other controls, and format characters such as the bidirectional ones, which could show a
  // program other than the one that is compiled.
  if (/[\p{Cs}\p{Cc}\p{Cf}\u2028\u2029]/u.test(character)) return "�";
  return character;
}

function widthOf(character: string): number {
  if (/\p{Mn}|\p{Me}/u.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** East Asian wide and full-width characters, and pictures. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** A label that goes on past its first line is underlined to that line's end. */
function markOf(label: MarkedLabel, start: number, cells: readonly Cell[], length: number): Mark {
  const columnAt = (offset: number) =>
    offset >= length ? columnsOf(cells) : (cells.findLast((cell) => cell.offset <= offset)?.column ?? 0);
  const from = columnAt(label.span.start - start);
  const to = columnAt(label.span.end - start);
  return {
    from,
    to: Math.max(to, from + 1),
    text: visible(label.text.replace(/\s*\n\s*/g, " ")),
    primary: label.primary,
  };
}

/** The underlines with the last text beside them; then, for each other text from right to left, its hanging row. */
function drawMarks(marks: readonly Mark[], palette: Palette): string[] {
  const underlines: Row = new Map();
  // The primary is drawn last, over what it shares with others.
  for (const mark of [...marks].sort((a, b) => Number(a.primary) - Number(b.primary))) {
    for (let column = mark.from; column < mark.to; column++) underlines.set(column, { text: "─", mark });
  }
  const end = Math.max(...marks.map((mark) => mark.to));
  const beside = marks.findLast((mark) => mark.to === end && marks.every((other) => other.from <= mark.from));
  if (beside !== undefined && beside.text !== "")
    underlines.set(end + 1, { text: beside.text, mark: beside });

  const rows = [underlines];
  const hanging = marks.filter((mark) => mark !== beside && mark.text !== "").reverse();
  hanging.forEach((mark, i) => {
    if (i === 0) rows.push(bars(hanging));
    const left = hanging.slice(i + 1).filter((other) => other.from < mark.from);
    rows.push(bars(left).set(mark.from, { text: mark.text, mark }));
  });
  return rows.map((row) =>
    rowText(row, (mark, text) => (mark.primary ? palette.primary(text) : palette.secondary(text))),
  );
}

/** Pieces of text by the column where they begin. */
type Row = Map<number, { readonly text: string; readonly mark: Mark }>;

function bars(marks: readonly Mark[]): Row {
  return new Map(marks.map((mark) => [mark.from, { text: "│", mark }]));
}

function rowText(row: Row, colored: (mark: Mark, text: string) => string): string {
  let column = 0;
  let result = "";
  for (const [start, { text, mark }] of [...row].sort((a, b) => a[0] - b[0])) {
    result += " ".repeat(start - column) + colored(mark, text);
    column = start + text.length;
  }
  return result;
}
