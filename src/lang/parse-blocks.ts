/**
 * The grammar of blocks, and how parsing goes on after a broken line of one.
 *
 *     block  { (let pattern = expression)*  expression }
 *
 * Any statement is read where a `let` or the result may stand; that there is one result, at the end, is seen
 * afterwards, so that a result too many does not spoil the lines behind it.
 */
import type { IToken } from "chevrotain";
import { PrimaryGrammar } from "./parse-primaries.ts";
import type { Rule } from "./recovery.ts";
import { textOf } from "./source.ts";
import { confusedEquals, mistake, spanOf, wanting } from "./syntax-errors.ts";
import type { Expr, Let } from "./syntax.ts";
import * as T from "./tokens.ts";

/** A line of a block: a `let`, or an expression, which is the result if it is the last. */
type Statement =
  | { readonly kind: "let"; readonly value: Let }
  | { readonly kind: "result"; readonly value: Expr };

export abstract class BlockGrammar extends PrimaryGrammar {
  protected block: Rule<Expr> = this.RULE("block", () => {
    const open = this.CONSUME(T.LBrace);
    const statements: (Statement | null)[] = [];
    this.enter();
    this.opened(open, true);
    this.ACTION(() => this.expectNoSpread());
    const resumes = () => this.atStatement();
    this.guarded(() => this.ACTION(() => this.expectStatement()), undefined, resumes);
    this.MANY({
      GATE: () => this.atStatement(),
      DEF: () =>
        statements.push(
          this.guarded<Statement | null>(
            () => {
              const statement = this.SUBRULE(this.statement);
              this.ACTION(() => this.expectStatement());
              return statement;
            },
            null,
            resumes,
          ),
        ),
    });
    this.CONSUME(T.RBrace);
    this.closed();
    this.leave();
    return this.ACTION(() => this.blockOf(open, statements));
  });

  private statement: Rule<Statement> = this.RULE("statement", () =>
    this.OR<Statement>([
      {
        ALT: () => {
          const value = this.SUBRULE(this.letStatement);
          return { kind: "let", value };
        },
      },
      {
        ALT: () => {
          const value = this.SUBRULE(this.expression);
          return { kind: "result", value };
        },
      },
    ]),
  );

  private letStatement: Rule<Let> = this.RULE("letStatement", () => {
    const word = this.CONSUME(T.Let);
    const pattern = this.SUBRULE(this.pattern);
    this.CONSUME(T.Equals, wanting("value"));
    const value = this.SUBRULE(this.expression);
    return this.ACTION(() => ({ span: this.spanFrom(word), pattern, value }));
  });

  /** Whether a statement begins at the next token; in a block written on one line it may do so anywhere. */
  private atStatement(): boolean {
    const type = this.LA(1).tokenType;
    if (type !== T.Let && !T.startsExpression.has(type)) return false;
    if (this.atDeclaration()) return false;
    return type === T.Let || this.LA(0).tokenType === T.LBrace || this.firstOnLine() || this.onOneLine();
  }

  /** Fails at `{ ...p, b: y }`, a struct's value without the struct. */
  private expectNoSpread(): void {
    const found = this.LA(1);
    if (found.tokenType !== T.Ellipsis) return;
    const primary = { span: spanOf(this.file, found), text: "expected a statement" };
    this.fail(
      mistake(
        "E0127",
        "found `...` in a block",
        primary,
        "a struct's value begins with its name: `S { ...p, b: y }`",
      ),
    );
  }

  /** Fails unless the statement before the next token is finished. */
  private expectStatement(): void {
    const type = this.LA(1).tokenType;
    if (type === T.RBrace || type === T.EOF || this.atDeclaration()) return;
    if (type === T.Let ? this.firstOnLine() || this.onOneLine() : this.atStatement()) return;
    if (type === T.Equals)
      this.fail(confusedEquals(spanOf(this.file, this.LA(1)), "expected an operator or a new line"));
    this.unexpected(
      "an operator or a new line",
      type === T.Semicolon ? "a statement ends with its line, without `;`" : null,
    );
  }

  private blockOf(open: IToken, statements: readonly (Statement | null)[]): Expr {
    const span = this.spanFrom(open);
    const lets = statements.flatMap((statement) => (statement?.kind === "let" ? [statement.value] : []));
    const results = statements.flatMap((statement) =>
      statement?.kind === "result" ? [statement.value] : [],
    );
    const last = statements.at(-1);
    const [first] = results;
    // With a statement missing, names would be missing too: nothing true can be said of such a block.
    if (statements.includes(null)) return { kind: "error", span };
    if (first === undefined) {
      const primary = {
        span: spanOf(this.file, this.LA(0)),
        text: "expected the block's result before this",
      };
      const help =
        lets.length === 0
          ? "a block is a value: `{ let y = f(x)  y }`, a statement a line"
          : "end the block with an expression";
      this.report(mistake("E0113", "block without a result", primary, help));
      return { kind: "error", span };
    }
    if (last?.kind !== "result" || results.length > 1) {
      const after = statements[statements.findIndex((statement) => statement?.kind === "result") + 1]!;
      const primary = { span: after.value.span, text: "nothing may follow the result" };
      const continues = /^[([{-]/.test(textOf(after.value.span));
      const help = continues
        ? "a line that begins so doesn't continue the line before; put the operator at the end of that line"
        : "name the values before the last one by `let`";
      this.report(
        mistake("E0114", "statement after the result", primary, help, [
          { span: first.span, text: "the block's result" },
        ]),
      );
    }
    return { kind: "block", span, lets, result: first };
  }
}
