/**
 * The grammar of expressions that end by themselves, and of what may follow them.
 *
 *     primary  number  |  name  |  Name { fields }  |  ( expressions )  |  [ expressions ]
 *     postfix  [ indices | padding ]  |  ( arguments )  |  . name
 */
import type { IToken } from "chevrotain";
import { PatternGrammar } from "./parse-patterns.ts";
import type { Rule } from "./recovery.ts";
import { join } from "./source.ts";
import { mistake, spanOf, wanting } from "./syntax-errors.ts";
import type { Expr, Name } from "./syntax.ts";
import * as T from "./tokens.ts";

export abstract class PrimaryGrammar extends PatternGrammar {
  protected indexing = this.RULE("indexing", (target: Expr): Expr => {
    const indices: Expr[] = [];
    let padding: Expr | null = null;
    this.opened(this.CONSUME(T.LBracket));
    this.AT_LEAST_ONE_SEP({
      SEP: T.Comma,
      DEF: () => indices.push(this.SUBRULE(this.expression)),
      ...wanting("expression"),
    });
    this.OPTION(() => {
      this.CONSUME(T.Bar);
      padding = this.SUBRULE2(this.expression);
    });
    const close = this.CONSUME(T.RBracket);
    this.closed();
    return this.ACTION(() => {
      return { kind: "index", span: join(target.span, spanOf(this.file, close)), target, indices, padding };
    });
  });

  protected call = this.RULE("call", (callee: Expr): Expr => {
    const args: Expr[] = [];
    this.opened(this.CONSUME(T.LParen));
    this.MANY_SEP({ SEP: T.Comma, DEF: () => args.push(this.SUBRULE(this.expression)) });
    const close = this.CONSUME(T.RParen);
    this.closed();
    return this.ACTION(() => ({
      kind: "call",
      span: join(callee.span, spanOf(this.file, close)),
      callee,
      args,
    }));
  });

  protected fieldAccess = this.RULE("fieldAccess", (target: Expr): Expr => {
    this.CONSUME(T.Dot);
    const token = this.CONSUME(T.Identifier, wanting("name"));
    return this.ACTION(() => {
      const field = this.nameOf(token);
      return { kind: "field", span: join(target.span, field.span), target, field };
    });
  });

  protected literal: Rule<Expr> = this.RULE("literal", () => {
    const token = this.OR([
      { ALT: () => this.CONSUME(T.NumberLiteral) },
      { ALT: () => this.CONSUME(T.True) },
      { ALT: () => this.CONSUME(T.False) },
    ]);
    return this.ACTION((): Expr => {
      const span = spanOf(this.file, token);
      if (token.tokenType !== T.NumberLiteral)
        return { kind: "bool", span, value: token.tokenType === T.True };
      // What is not a number has been reported by the lexer; any value will do for it.
      const value = Number(token.image);
      return {
        kind: "number",
        span,
        value: Number.isFinite(value) ? value : 0,
        isInteger: /^\d+$/.test(token.image),
      };
    });
  });

  /** `x`, `max` (the function, where no `[` makes it a reduction), or `S { a: x, …p }`. */
  protected nameOrStruct: Rule<Expr> = this.RULE("nameOrStruct", () => {
    const token = this.OR([
      { ALT: () => this.CONSUME(T.Identifier) },
      { ALT: () => this.CONSUME(T.Max) },
      { ALT: () => this.CONSUME(T.Min) },
    ]);
    let expr = this.ACTION((): Expr => ({ kind: "name", span: spanOf(this.file, token), name: token.image }));
    this.OPTION({
      GATE: () => this.continues(),
      DEF: () => (expr = this.SUBRULE(this.structFields, { ARGS: [token] })),
    });
    return expr;
  });

  private structFields = this.RULE("structFields", (word: IToken): Expr => {
    const fields: { readonly name: Name; readonly value: Expr }[] = [];
    let spread: Expr | null = null;
    this.opened(this.CONSUME(T.LBrace));
    this.MANY_SEP({
      SEP: T.Comma,
      DEF: () =>
        this.OR({
          DEF: [
            {
              ALT: () => {
                this.CONSUME(T.Ellipsis);
                this.ACTION(() => this.expectFirst(spread === null && fields.length === 0));
                spread = this.SUBRULE(this.expression);
              },
            },
            {
              ALT: () => {
                const name = this.CONSUME(T.Identifier);
                this.CONSUME(T.Colon, wanting("field value"));
                const value = this.SUBRULE2(this.expression);
                this.ACTION(() => fields.push({ name: this.nameOf(name), value }));
              },
            },
          ],
          ...wanting("field"),
        }),
    });
    this.CONSUME(T.RBrace);
    this.closed();
    return this.ACTION(() => ({
      kind: "struct",
      span: this.spanFrom(word),
      name: this.nameOf(word),
      spread,
      fields,
    }));
  });

  private expectFirst(isFirst: boolean): void {
    if (isFirst) return;
    const primary = { span: spanOf(this.file, this.LA(0)), text: "expected a field" };
    this.fail(mistake("E0127", "the struct to update comes first", primary, "write `S { ...p, b: y }`"));
  }

  protected parenthesised: Rule<Expr> = this.RULE("parenthesised", () => {
    const open = this.CONSUME(T.LParen);
    const items: Expr[] = [];
    this.opened(open);
    this.AT_LEAST_ONE_SEP({
      SEP: T.Comma,
      DEF: () => items.push(this.SUBRULE(this.expression)),
      ...wanting("expression"),
    });
    this.CONSUME(T.RParen);
    this.closed();
    return this.ACTION((): Expr => {
      const span = this.spanFrom(open);
      return items.length === 1 ? { ...items[0]!, span } : { kind: "tuple", span, items };
    });
  });

  protected list: Rule<Expr> = this.RULE("list", () => {
    const open = this.CONSUME(T.LBracket);
    const items: Expr[] = [];
    this.opened(open);
    this.MANY_SEP({ SEP: T.Comma, DEF: () => items.push(this.SUBRULE(this.expression)) });
    this.CONSUME(T.RBracket);
    this.closed();
    return this.ACTION((): Expr => ({ kind: "list", span: this.spanFrom(open), items }));
  });
}
