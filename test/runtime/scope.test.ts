/**
 * Which resources a scope frees.
 */
import { expect, test } from "vitest";
import { type Scopes, openScopes } from "../../src/runtime/scope.ts";

/** A resource that writes its name down when it is freed. */
function maker(scopes: Scopes): {
  readonly make: (name: string) => { readonly free: () => void };
  readonly freed: string[];
} {
  const freed: string[] = [];
  const make = (name: string): { readonly free: () => void } => {
    const resource = { free: () => void freed.push(name) };
    scopes.enter(resource);
    return resource;
  };
  return { make, freed };
}

test("what is returned outlives its scope, and is freed by the one around it", async () => {
  const scopes = openScopes();
  const { make, freed } = maker(scopes);
  await scopes.run(async () => {
    await scopes.run(async () => {
      make("a");
      return { map: new Map([["b", [make("b")]]]) };
    });
    expect(freed).toEqual(["a"]);
    return make("c");
  });
  expect(freed).toEqual(["a", "b"]);
});

test("outside of scopes nothing is freed", () => {
  const { make, freed } = maker(openScopes());
  make("a");
  expect(freed).toEqual([]);
});

test("scopes that overlap without nesting are refused", async () => {
  const scopes = openScopes();
  let endFirst = (): void => {};
  const first = scopes.run(() => new Promise<void>((resolve) => (endFirst = resolve)));
  let endSecond = (): void => {};
  const second = scopes.run(() => new Promise<void>((resolve) => (endSecond = resolve)));
  endFirst();
  await expect(first).rejects.toThrowError("scopes nest: await one before beginning another");
  endSecond();
  await expect(second).resolves.toBeUndefined();
});
