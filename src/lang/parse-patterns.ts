/**
 * The grammar of what introduces names: index variables, the left side of a `let`, lists of parameters.
 *
 *     binder   name  |  name : expression  |  name : expression .. expression
 *     pattern  target  |  name [ binders ]
 *     target   name  |  ( targets )
 */
import type { IToken } from "chevrotain";
import { TypeGrammar } from "./parse-types.ts";
import type { Rule } from "./recovery.ts";
import { mistake, spanOf, wanting } from "./syntax-errors.ts";
import type { Binder, Expr, Name, Pattern } from "./syntax.ts";
import * as T from "./tokens.ts";

export abstract class PatternGrammar extends TypeGrammar {
  protected abstract expression: Rule<Expr>;

  protected binders: Rule<Binder[]> = this.RULE("binders", () => {
    const binders: Binder[] = [];
    this.AT_LEAST_ONE_SEP({
      SEP: T.Comma,
      DEF: () => binders.push(this.SUBRULE(this.binder)),
      ...wanting("binder"),
    });
    return binders;
  });

  /** `i`, `i: n` or `i: lo .. hi`. */
  protected binder: Rule<Binder> = this.RULE("binder", () => {
    const word = this.CONSUME(T.Identifier, wanting("binder"));
    let from: Expr | null = null;
    let to: Expr | null = null;
    this.OPTION(() => {
      this.CONSUME(T.Colon);
      this.ACTION(() => this.expectRange());
      to = this.SUBRULE(this.expression);
      this.OPTION2(() => {
        this.CONSUME(T.DotDot);
        from = to;
        to = this.SUBRULE2(this.expression);
      });
    });
    return this.ACTION(() => ({ span: this.spanFrom(word), name: this.nameOf(word), from, to }));
  });

  private expectRange(): void {
    const found = this.LA(1);
    if (T.startsExpression.has(found.tokenType)) return;
    const primary = { span: spanOf(this.file, this.LA(0)), text: "expected a range after this" };
    this.fail(
      mistake("E0118", "missing range after `:`", primary, "write `i: n` or `i: lo .. hi`, or leave out `:`"),
    );
  }

  /** What a `let` binds: a name, names in parentheses, or `y[i, j]`. */
  protected pattern: Rule<Pattern> = this.RULE("pattern", () => {
    let pattern = this.SUBRULE(this.target);
    this.OPTION(() => {
      const open = this.CONSUME(T.LBracket);
      this.ACTION(() => this.expectName(pattern, open));
      this.opened(open);
      const binders = this.SUBRULE(this.binders);
      this.CONSUME(T.RBracket);
      this.closed();
      this.ACTION(() => {
        if (pattern.kind !== "name") return;
        const span = { ...pattern.span, end: this.LA(0).startOffset + 1 };
        pattern = { kind: "indexed", span, name: pattern.name, binders };
      });
    });
    return pattern;
  });

  private expectName(pattern: Pattern, open: IToken): void {
    if (pattern.kind === "name") return;
    const primary = { span: spanOf(this.file, open), text: "expected `=`" };
    this.fail(
      mistake("E0112", "only a name can be given indices", primary, "`let y[i, j] = …` defines one tensor"),
    );
  }

  /** A name, or a tuple of targets. */
  protected target: Rule<Pattern> = this.RULE("target", () => {
    this.enter();
    const pattern = this.OR<Pattern>({
      DEF: [
        {
          ALT: () => {
            const token = this.CONSUME(T.Identifier);
            return this.ACTION(() => ({
              kind: "name",
              span: spanOf(this.file, token),
              name: this.nameOf(token),
            }));
          },
        },
        { ALT: () => this.SUBRULE(this.tupleTarget) },
      ],
      ...wanting("pattern"),
    });
    this.leave();
    return pattern;
  });

  private tupleTarget: Rule<Pattern> = this.RULE("tupleTarget", () => {
    const open = this.CONSUME(T.LParen);
    const items: Pattern[] = [];
    this.opened(open);
    this.AT_LEAST_ONE_SEP({
      SEP: T.Comma,
      DEF: () => items.push(this.SUBRULE(this.target)),
      ...wanting("pattern"),
    });
    this.CONSUME(T.RParen);
    this.closed();
    return this.ACTION((): Pattern => ({ kind: "tuple", span: this.spanFrom(open), items }));
  });

  /** `(a, b)` where names are introduced without types: `fn (a, b) -> …`, `vjp (a, b) -> …`. */
  protected nameList: Rule<Name[]> = this.RULE("nameList", () => {
    const names: Name[] = [];
    this.opened(this.CONSUME(T.LParen, wanting("parameters")));
    this.MANY_SEP({
      SEP: T.Comma,
      DEF: () => {
        const token = this.CONSUME(T.Identifier, wanting("name"));
        this.ACTION(() => names.push(this.nameOf(token)));
      },
    });
    this.CONSUME(T.RParen);
    this.closed();
    return names;
  });
}
