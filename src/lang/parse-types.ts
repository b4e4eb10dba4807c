/**
 * The grammar of types and dimensions.
 *
 *     type       name  |  name [ arguments ]  |  idx [ dimension ] [ shape ]  |  ( types )  |  [ type ; dimension ]
 *                |  fn ( types ) -> type
 *     dimension  numbers, names, + - * / // %, parentheses
 */
import type { IToken } from "chevrotain";
import { treeOf, type Item, type TreeBuilder } from "./precedence.ts";
import { maxNesting, RecoveringParser, type Rule } from "./recovery.ts";
import { join } from "./source.ts";
import { inWords, mistake, spanOf, wanting } from "./syntax-errors.ts";
import type { DimExpr, DimOp, TypeArg, TypeExpr } from "./syntax.ts";
import * as T from "./tokens.ts";

const startsArgument = new Set([T.RBracket, T.LBracket, T.LParen, T.Identifier, T.NumberLiteral, T.Fn]);

export abstract class TypeGrammar extends RecoveringParser {
  protected type: Rule<TypeExpr> = this.RULE("type", () => {
    this.enter();
    const type = this.OR({
      DEF: [
        { ALT: () => this.SUBRULE(this.namedType) },
        { ALT: () => this.SUBRULE(this.tupleType) },
        { ALT: () => this.SUBRULE(this.listType) },
        { ALT: () => this.SUBRULE(this.functionType) },
      ],
      ...wanting("type"),
    });
    this.leave();
    return type;
  });

  private namedType: Rule<TypeExpr> = this.RULE("namedType", () => {
    const word = this.CONSUME(T.Identifier, wanting("type"));
    let args: TypeArg[] | null = null;
    let shape: DimExpr[] | null = null;
    // One token decides, so that what is wrong in the brackets is reported there.
    this.OPTION({
      MAX_LOOKAHEAD: 1,
      GATE: () => this.continues(),
      DEF: () => (args = this.SUBRULE(this.typeArguments)),
    });
    this.OPTION2({
      GATE: () => word.image === "idx" && args !== null && this.continues(),
      DEF: () => (shape = this.SUBRULE(this.shape)),
    });
    return this.ACTION((): TypeExpr => {
      const span = this.spanFrom(word);
      if (word.image === "idx") return { kind: "idx", span, bound: this.boundOf(word, args), shape };
      return { kind: "named", span, name: this.nameOf(word), args };
    });
  });

  private boundOf(word: IToken, args: readonly TypeArg[] | null): DimExpr {
    const bound = args?.[0];
    if (args?.length === 1 && bound?.kind === "dim") return bound.dim;
    const primary = { span: this.spanFrom(word), text: "expected one dimension in brackets" };
    this.fail(mistake("E0122", "`idx` needs its bound", primary, "`idx[n]` is an integer from 0 to n - 1"));
  }

  private typeArguments: Rule<TypeArg[]> = this.RULE("typeArguments", () => {
    const args: TypeArg[] = [];
    this.opened(this.CONSUME(T.LBracket));
    this.ACTION(() => this.expectArgument());
    this.MANY_SEP({ SEP: T.Comma, DEF: () => args.push(this.SUBRULE(this.typeArgument)) });
    this.CONSUME(T.RBracket);
    this.closed();
    return args;
  });

  /** Fails unless brackets are closed at once or something begins that may stand in them. */
  private expectArgument(): void {
    const found = this.LA(1);
    if (startsArgument.has(found.tokenType)) return;
    const primary = { span: spanOf(this.file, found), text: "expected a dimension" };
    const help = found.tokenType === T.Minus ? "dimensions are natural numbers" : null;
    this.fail(mistake("E0122", `found ${inWords(found)}, expected a dimension`, primary, help));
  }

  private typeArgument: Rule<TypeArg> = this.RULE("typeArgument", () =>
    this.OR({
      DEF: [
        {
          GATE: () => this.atType(),
          ALT: () => {
            const type = this.SUBRULE(this.type);
            return { kind: "type", type } as const;
          },
        },
        {
          ALT: () => {
            const dim = this.SUBRULE(this.dimension);
            return { kind: "dim", dim } as const;
          },
        },
      ],
      ...wanting("dimension"),
    }),
  );

  /** Whether an argument is surely a type: `Name[…`, `[T; n]`, `fn(…) -> …`, or parentheses with a comma in them. */
  private atType(): boolean {
    const type = this.LA(1).tokenType;
    if (type === T.Identifier) return this.LA(2).tokenType === T.LBracket;
    if (type !== T.LParen) return type === T.LBracket || type === T.Fn;
    let depth = 0;
    for (let ahead = 1; ; ahead++) {
      const next = this.LA(ahead).tokenType;
      if (next === T.Comma && depth === 1) return true;
      if (next === T.LParen || next === T.LBracket) depth++;
      else if (next === T.RParen || next === T.RBracket) depth--;
      if (depth === 0 || depth > maxNesting || next === T.EOF || next === T.LBrace || next === T.RBrace)
        return false;
    }
  }

  /** `[n, m]` after `idx[o]`. */
  private shape: Rule<DimExpr[]> = this.RULE("shape", () => {
    const dims: DimExpr[] = [];
    this.opened(this.CONSUME(T.LBracket));
    this.ACTION(() => this.expectArgument());
    this.MANY_SEP({ SEP: T.Comma, DEF: () => dims.push(this.SUBRULE(this.dimension)) });
    this.CONSUME(T.RBracket);
    this.closed();
    return dims;
  });

  private tupleType: Rule<TypeExpr> = this.RULE("tupleType", () => {
    const open = this.CONSUME(T.LParen);
    const items: TypeExpr[] = [];
    this.opened(open);
    this.AT_LEAST_ONE_SEP({
      SEP: T.Comma,
      DEF: () => items.push(this.SUBRULE(this.type)),
      ...wanting("type"),
    });
    this.CONSUME(T.RParen);
    this.closed();
    return this.ACTION((): TypeExpr => {
      const span = this.spanFrom(open);
      return items.length === 1 ? { ...items[0]!, span } : { kind: "tuple", span, items };
    });
  });

  private listType: Rule<TypeExpr> = this.RULE("listType", () => {
    const open = this.CONSUME(T.LBracket);
    this.opened(open);
    const item = this.SUBRULE(this.type);
    this.CONSUME(T.Semicolon);
    const length = this.SUBRULE(this.dimension);
    this.CONSUME(T.RBracket);
    this.closed();
    return this.ACTION((): TypeExpr => ({ kind: "list", span: this.spanFrom(open), item, length }));
  });

  private functionType: Rule<TypeExpr> = this.RULE("functionType", () => {
    const fn = this.CONSUME(T.Fn);
    const params: TypeExpr[] = [];
    this.opened(this.CONSUME(T.LParen, wanting("parameters")));
    this.MANY_SEP({ SEP: T.Comma, DEF: () => params.push(this.SUBRULE(this.type)) });
    this.CONSUME(T.RParen);
    this.closed();
    this.CONSUME(T.Arrow, wanting("arrow"));
    const result = this.SUBRULE2(this.type);
    return this.ACTION((): TypeExpr => ({ kind: "function", span: this.spanFrom(fn), params, result }));
  });

  protected dimension: Rule<DimExpr> = this.RULE("dimension", () => {
    const items: Item<DimExpr>[] = [];
    this.enter();
    items.push({ kind: "operand", node: this.SUBRULE(this.dimensionOperand) });
    this.MANY({
      GATE: () => this.continues(),
      DEF: () => {
        const token = this.OR([
          { ALT: () => this.CONSUME(T.Plus) },
          { ALT: () => this.CONSUME(T.Minus) },
          { ALT: () => this.CONSUME(T.Star) },
          { ALT: () => this.CONSUME(T.SlashSlash) },
          { ALT: () => this.CONSUME(T.Slash) },
          { ALT: () => this.CONSUME(T.Percent) },
        ]);
        items.push({ kind: "infix", op: token.image as DimOp, token });
        items.push({ kind: "operand", node: this.SUBRULE2(this.dimensionOperand) });
      },
    });
    this.leave();
    return this.ACTION(() => treeOf(items, this.dimensionBuilder, maxNesting));
  });

  private dimensionOperand: Rule<DimExpr> = this.RULE("dimensionOperand", () =>
    this.OR({
      DEF: [
        {
          ALT: () => {
            const token = this.CONSUME(T.NumberLiteral);
            return this.ACTION(() => this.naturalNumber(token));
          },
        },
        {
          ALT: () => {
            const token = this.CONSUME(T.Identifier);
            return this.ACTION((): DimExpr => ({
              kind: "name",
              span: spanOf(this.file, token),
              name: token.image,
            }));
          },
        },
        {
          ALT: () => {
            const open = this.CONSUME(T.LParen);
            this.opened(open);
            const inner = this.SUBRULE(this.dimension);
            this.CONSUME(T.RParen);
            this.closed();
            return this.ACTION((): DimExpr => ({ ...inner, span: this.spanFrom(open) }));
          },
        },
      ],
      ...wanting("dimension"),
    }),
  );

  private naturalNumber(token: IToken): DimExpr {
    const span = spanOf(this.file, token);
    // A malformed number has been reported; any value will do for it.
    if (/^\d+$/.test(token.image) || Number.isNaN(Number(token.image))) {
      return { kind: "number", span, value: Number.parseInt(token.image, 10) || 0 };
    }
    const primary = { span, text: "not a natural number" };
    this.fail(mistake("E0122", `found the number \`${token.image}\`, expected a dimension`, primary));
  }

  private dimensionBuilder: TreeBuilder<DimExpr> = {
    // The grammar admits only dimension operators, none of which is a prefix or a comparison.
    binary: (op, _token, left, right) => ({
      kind: "op",
      span: join(left.span, right.span),
      op: op as DimOp,
      left,
      right,
    }),
    unary: (_op, token) => this.tooDeep(token),
    chained: (_first, second) => this.tooDeep(second),
    tooDeep: (token) => this.tooDeep(token),
  };
}
