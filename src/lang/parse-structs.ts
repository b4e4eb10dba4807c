/**
 * The grammar of structs.
 *
 *     struct  struct name [names]  { field (newline | ,) … }
 *     field   @name("…")  name : type  ~ name (arguments)           the annotation may also follow the type
 */
import type { IToken } from "chevrotain";
import { ExpressionGrammar } from "./parse-expressions.ts";
import type { Rule } from "./recovery.ts";
import { mistake, spanOf, wanting } from "./syntax-errors.ts";
import type { Distribution, Expr, Field, Name, StructDecl } from "./syntax.ts";
import * as T from "./tokens.ts";

export abstract class StructGrammar extends ExpressionGrammar {
  protected structDecl: Rule<StructDecl> = this.RULE("structDecl", () => {
    const word = this.CONSUME(T.Struct);
    const name = this.CONSUME(T.Identifier, wanting("name"));
    const params = this.SUBRULE(this.bracketedNames);
    const fields: Field[] = [];
    this.opened(this.CONSUME(T.LBrace, wanting("fields")), true);
    const resumes = () => this.LA(1).tokenType === T.Comma || (this.atField() && this.firstOnLine());
    this.guarded(() => this.ACTION(() => this.expectField()), undefined, resumes);
    this.MANY(() => {
      this.guarded(
        () => {
          const field = this.SUBRULE(this.field);
          this.ACTION(() => {
            fields.push(field);
            if (this.LA(1).tokenType !== T.Comma) this.expectField();
          });
        },
        undefined,
        resumes,
      );
      this.OPTION(() => this.CONSUME(T.Comma));
    });
    this.CONSUME(T.RBrace);
    this.closed();
    return this.ACTION((): StructDecl => {
      return {
        kind: "struct",
        span: this.spanFrom(word),
        doc: this.docBefore(word),
        name: this.nameOf(name),
        params,
        fields,
      };
    });
  });

  private atField(): boolean {
    const type = this.LA(1).tokenType;
    return type === T.Identifier || type === T.At;
  }

  /** Fails unless a field, on a line of its own, or the end of the struct comes next. */
  private expectField(): void {
    const found = this.LA(1);
    if (found.tokenType === T.RBrace || found.tokenType === T.EOF || this.atDeclaration()) return;
    const before = this.LA(0).tokenType;
    if (before !== T.LBrace && before !== T.Comma && !this.firstOnLine()) {
      this.unexpected(
        "a comma or a new line",
        found.tokenType === T.Equals ? "how a field is drawn follows `~`" : null,
      );
    }
    if (this.atField()) return;
    // The grammar's own error for a name that is missing has the right words for reserved words, too.
    this.CONSUME9(T.Identifier, wanting("field"));
  }

  /** `@name("fc.weight") weight: f32[o, i] ~ normal(0.02)`; the annotation may also follow the type. */
  private field: Rule<Field> = this.RULE("field", () => {
    const start = this.LA(1);
    let checkpointName: Name | null = null;
    let init: Distribution | null = null;
    this.OPTION(() => (checkpointName = this.SUBRULE(this.annotation)));
    const name = this.CONSUME(T.Identifier, wanting("field"));
    this.CONSUME(T.Colon, wanting("field type"));
    const type = this.SUBRULE(this.type);
    this.MANY({
      GATE: () => this.LA(1).tokenType === T.Tilde || !this.firstOnLine(),
      DEF: () =>
        this.OR([
          { GATE: () => init === null, ALT: () => (init = this.SUBRULE(this.distribution)) },
          {
            GATE: () => checkpointName === null,
            ALT: () => (checkpointName = this.SUBRULE2(this.annotation)),
          },
        ]),
    });
    return this.ACTION(() => {
      return {
        span: this.spanFrom(start),
        doc: this.docBefore(start),
        checkpointName,
        name: this.nameOf(name),
        type,
        init,
      };
    });
  });

  private annotation: Rule<Name> = this.RULE("annotation", () => {
    this.CONSUME(T.At);
    const word = this.CONSUME(T.Identifier, wanting("annotation"));
    this.ACTION(() => {
      if (word.image === "name") return;
      const primary = { span: spanOf(this.file, word), text: "expected `name`" };
      this.fail(
        mistake(
          "E0127",
          `unknown annotation \`@${word.image}\``,
          primary,
          'there is one: `@name("network.0")`',
        ),
      );
    });
    this.opened(this.CONSUME(T.LParen, wanting("annotation")));
    const text = this.CONSUME(T.TextLiteral, wanting("annotation"));
    this.CONSUME(T.RParen);
    this.closed();
    return this.ACTION(() => ({ text: text.image.replaceAll('"', ""), span: spanOf(this.file, text) }));
  });

  private distribution: Rule<Distribution> = this.RULE("distribution", () => {
    const tilde = this.CONSUME(T.Tilde);
    const name = this.CONSUME(T.Identifier, wanting("name"));
    const args: Expr[] = [];
    this.OPTION({
      GATE: () => this.continues(),
      DEF: () => {
        this.opened(this.CONSUME(T.LParen));
        this.MANY_SEP({ SEP: T.Comma, DEF: () => args.push(this.SUBRULE(this.expression)) });
        this.CONSUME(T.RParen);
        this.closed();
      },
    });
    return this.ACTION(() => ({ span: this.spanFrom(tilde), name: this.nameOf(name), args }));
  });

  // What declarations share

  /** `[i, o]` after a declaration's name, or nothing. */
  protected bracketedNames: Rule<Name[]> = this.RULE("bracketedNames", () => {
    let names: Name[] = [];
    this.OPTION(() => {
      this.opened(this.CONSUME(T.LBracket));
      names = this.SUBRULE(this.names);
      this.CONSUME(T.RBracket);
      this.closed();
    });
    return names;
  });

  protected names: Rule<Name[]> = this.RULE("names", () => {
    const names: Name[] = [];
    this.AT_LEAST_ONE_SEP({
      SEP: T.Comma,
      DEF: () => {
        const token = this.CONSUME(T.Identifier, wanting("name"));
        this.ACTION(() => names.push(this.nameOf(token)));
      },
      ...wanting("name"),
    });
    return names;
  });

  /** The doc comment before the token with which a declaration or a field begins. */
  protected docBefore(token: IToken): string | null {
    return this.docs.get(token.startOffset) ?? null;
  }
}
