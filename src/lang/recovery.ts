/**
 * What the grammar's rules share: which newlines matter, how deep they are, and how they go on after a mistake.
 *
 * A rule wrapped in `guarded` that fails is reported and left; the parser then skips to the next place where a rule of
 * that kind may begin again. Brackets opened inside the failed part are counted, so that a `}` in it is not taken for
 * the one outside.
 */
import {
  EmbeddedActionsParser,
  isRecognitionException,
  type IRecognitionException,
  type IToken,
  type ParserMethod,
} from "chevrotain";
import { DiagnosticError, type Diagnostic } from "./diagnostic.ts";
import { endOf, type TokenStream } from "./lexer.ts";
import { positionOf, type SourceFile, type Span } from "./source.ts";
import { explain, helpFor, messageProvider, mistake, spanOf, inWords } from "./syntax-errors.ts";
import * as T from "./tokens.ts";
import type { Name } from "./syntax.ts";

/** Expressions, types and patterns may be nested this deep. */
export const maxNesting = 256;

/** A rule without arguments. */
export type Rule<Result> = ParserMethod<[], Result>;

/** Thrown by `report` when the list of diagnostics is full. */
export class TooManyErrors extends Error {}

/** An open bracket; inside `lines` a newline may end what stands before it. */
interface OpenBracket {
  readonly token: IToken;
  readonly lines: boolean;
}

const openers = new Set([T.LParen, T.LBracket, T.LBrace]);

/** Tokens that, first on their line in a block, begin a statement though they could continue an expression. */
const ambiguous = new Set([T.LParen, T.LBracket, T.LBrace, T.Minus]);

export abstract class RecoveringParser extends EmbeddedActionsParser {
  protected file: SourceFile = { name: "", text: "" };
  protected docs: ReadonlyMap<number, string> = new Map();
  private open: OpenBracket[] = [];
  private depth = 0;
  private reported: Diagnostic[] = [];
  private room = 0;

  constructor() {
    super(T.tokenTypes, { maxLookahead: 2, recoveryEnabled: false, errorMessageProvider: messageProvider });
  }

  /** Sets the parser to the beginning of a file; at most `room` mistakes are reported, to `reported`. */
  protected begin(file: SourceFile, stream: TokenStream, reported: Diagnostic[], room: number): void {
    this.input = [...stream.tokens];
    this.file = file;
    this.docs = docsOf(file, stream);
    this.open = [];
    this.depth = 0;
    this.reported = reported;
    this.room = room;
  }

  // Places

  /** From `start` to the token read last. */
  protected spanFrom(start: IToken): Span {
    const last = this.LA(0);
    return { file: this.file, start: start.startOffset, end: Math.max(endOf(last), start.startOffset) };
  }

  protected nameOf(token: IToken): Name {
    return { text: token.image, span: spanOf(this.file, token) };
  }

  // Newlines

  /** Whether the next token is the first of its line. */
  protected firstOnLine(ahead = 1): boolean {
    const before = this.LA(ahead - 1);
    const token = this.LA(ahead);
    if (before.tokenType === T.EOF || token.tokenType === T.EOF) return true;
    return this.file.text.slice(endOf(before), token.startOffset).includes("\n");
  }

  /** Whether a token may continue the expression before it: `(`, `[`, `{`, `-` on a new line of a block don't. */
  protected continues(ahead = 1): boolean {
    const inLines = this.open.at(-1)?.lines ?? false;
    return !(inLines && ambiguous.has(this.LA(ahead).tokenType) && this.firstOnLine(ahead));
  }

  /** Called after an opening bracket; `lines` says that newlines separate what it contains. */
  protected opened(token: IToken, lines = false): void {
    this.ACTION(() => this.open.push({ token, lines }));
  }

  /** Called after the closing one. */
  protected closed(): void {
    this.ACTION(() => this.open.pop());
  }

  /** The innermost open bracket. */
  protected opening(): IToken | null {
    return this.open.at(-1)?.token ?? null;
  }

  /** Whether the innermost bracket was opened on the next token's line. */
  protected onOneLine(): boolean {
    const opening = this.opening();
    if (opening === null || this.LA(1).tokenType === T.EOF) return false;
    const lineOf = (token: IToken) => positionOf(this.file, token.startOffset).line;
    return lineOf(opening) === lineOf(this.LA(1));
  }

  /** Whether a declaration begins at the next token: its word first on a line, and `fn` not that of a lambda. */
  protected atDeclaration(): boolean {
    const type = this.LA(1).tokenType;
    const begins =
      type === T.Use ||
      type === T.Const ||
      type === T.Struct ||
      (type === T.Fn && this.LA(2).tokenType !== T.LParen);
    return begins && this.firstOnLine();
  }

  // Nesting

  /** Called at the beginning of every rule that may contain itself. */
  protected enter(): void {
    this.ACTION(() => {
      if (++this.depth > maxNesting) this.tooDeep(this.LA(1));
    });
  }

  /** Called at its end. */
  protected leave(): void {
    this.ACTION(() => this.depth--);
  }

  protected tooDeep(token: IToken): never {
    throw this.depthMistake(token);
  }

  private depthMistake(token: IToken): TooDeep {
    const primary = { span: spanOf(this.file, token), text: `more than ${maxNesting} levels deep here` };
    return new TooDeep(
      mistake("E0124", "nested too deeply", primary, "give names to the parts with `let` or `fn`"),
    );
  }

  // Mistakes

  protected fail(diagnostic: Diagnostic): never {
    throw new DiagnosticError(diagnostic);
  }

  /** Fails with what stands at the next token. */
  protected unexpected(expected: string, help: string | null = null): never {
    const found = this.LA(1);
    const span = spanOf(this.file, found);
    if (found.tokenType === T.RParen || found.tokenType === T.RBracket || found.tokenType === T.RBrace) {
      const message = `found \`${found.image}\`, which closes nothing`;
      this.fail(mistake("E0106", message, { span, text: "no bracket is open that this could close" }));
    }
    this.fail(
      mistake(
        "E0123",
        `found ${inWords(found)}, expected ${expected}`,
        { span, text: `expected ${expected}` },
        help ?? helpFor(found, expected),
      ),
    );
  }

  /** Adds a diagnostic, unless one has been made for the same place: it would be a consequence of that one. */
  protected report(diagnostic: Diagnostic): void {
    const start = diagnostic.primary.span.start;
    if (this.reported.some((other) => other.primary.span.start === start)) return;
    if (this.reported.length >= this.room) throw new TooManyErrors();
    this.reported.push(diagnostic);
  }

  /**
   * Runs a part of a rule. If it fails, reports that, skips to a token where `resumes` holds at this part's own level
   * of brackets (or to the closing bracket, a declaration, the end), and gives `instead`.
   */
  protected guarded<Result>(part: () => Result, instead: Result, resumes: () => boolean): Result {
    if (this.RECORDING_PHASE) return part();
    const [level, depth] = [this.open.length, this.depth];
    try {
      return part();
    } catch (caught) {
      // The caller may have left less of the stack than `maxNesting` needs.
      const error = caught instanceof RangeError ? this.depthMistake(this.LA(1)) : caught;
      // Too deep a nest is left altogether: each of its levels would find its own mistakes again.
      if (error instanceof TooDeep && level > 0) throw error;
      this.report(this.diagnosticOf(error));
      const inside = this.open.splice(level).map((bracket) => bracket.token);
      this.depth = depth;
      this.skip(inside, level > 0, resumes);
      return instead;
    }
  }

  private diagnosticOf(error: unknown): Diagnostic {
    if (error instanceof DiagnosticError) return error.diagnostic;
    if (error instanceof Error && isRecognitionException(error)) {
      return explain(this.file, error as IRecognitionException, this.opening());
    }
    throw error;
  }

  private skip(inside: IToken[], enclosed: boolean, resumes: () => boolean): void {
    for (; this.LA(1).tokenType !== T.EOF; this.consumeNext()) {
      if (this.atDeclaration()) return;
      const next = this.LA(1);
      if (next.tokenType === T.Let) {
        // A `let` stands directly in a block: brackets of other kinds before it were not closed.
        while (inside.length > 0 && inside.at(-1)!.tokenType !== T.LBrace) inside.pop();
      }
      if (inside.length === 0 && resumes()) return;
      if (openers.has(next.tokenType)) inside.push(next);
      else if (next.tokenType === T.RBrace) {
        while (inside.length > 0 && inside.at(-1)!.tokenType !== T.LBrace) inside.pop();
        if (inside.pop() === undefined && enclosed) return;
      } else if (closes(inside.at(-1), next)) inside.pop();
    }
  }

  private consumeNext(): void {
    this.SKIP_TOKEN();
  }
}

/** A nest that is left as a whole. */
class TooDeep extends DiagnosticError {}

function closes(opening: IToken | undefined, token: IToken): boolean {
  return (
    (opening?.tokenType === T.LParen && token.tokenType === T.RParen) ||
    (opening?.tokenType === T.LBracket && token.tokenType === T.RBracket)
  );
}

/** Doc comments that have their line to themselves, by the offset of the token that follows them. */
function docsOf(file: SourceFile, { tokens, comments }: TokenStream): Map<number, string> {
  const docs = new Map<number, string>();
  let next = 0;
  for (const { doc, text, span } of comments) {
    if (!doc || !ownsLine(file, span)) continue;
    while (next < tokens.length && tokens[next]!.startOffset < span.start) next++;
    const offset = tokens[next]?.startOffset;
    if (offset === undefined) break;
    const line = text.replace(/^## ?/, "").trimEnd();
    const before = docs.get(offset);
    docs.set(offset, before === undefined ? line : `${before}\n${line}`);
  }
  return docs;
}

/** Whether only white space stands before the span on its line. */
export function ownsLine(file: SourceFile, span: Span): boolean {
  const lineStart = file.text.lastIndexOf("\n", span.start - 1) + 1;
  return file.text.slice(lineStart, span.start).trim() === "";
}
