import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/setup.ts"],
    pool: "forks",
    // Loading the compiler for each file takes a third of the time. What a file leaves behind (a loaded driver, the variables that name
    // it) must not matter to the next one.
    isolate: false,
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    slowTestThreshold: 2_000,
  },
});
