/**
 * A model that compiles in a moment: the means of 4 × 4 parts of an image, a hidden layer, ten classes. `choice` only chooses, so
 * that no gradient reaches it.
 */
import type { Loader } from "../../src/lang/check.ts";
import type { Model } from "../../src/model.ts";
import { checkpointTensors } from "../../src/models/names.ts";
import { modelSources } from "../../src/models/sources.ts";
import { loadModule } from "../../src/module.ts";

const text = `use ./train.{Recipe, training_step}
use nn.{Linear, linear}
use optim.{Moments}
use pool.{adaptive_avg_pool}

struct Tiny {
  @name("features.0") hidden: Linear[48, 16]
  @name("classifier") head: Linear[16, 10]
  choice: f32[2] ~ normal(1.0)
}

fn tiny(p: Tiny, x: f32[b, 3, h, w]) -> f32[b, 10] = for i -> {
  let means = adaptive_avg_pool[4, 4](x[i])
  let points = for k: 48 -> means[k // 16, k % 16 // 4, k % 4]
  let y = linear(p.hidden, points)
  let scale = if (argmax[k] p.choice[k]) == 0 then 1.0 else 0.5
  linear(p.head, for k -> scale * max(y[k], 0.0))
}

fn tiny_step(p: Tiny, s: Moments[Tiny], step: i32, lr: f32, r: Recipe, k: key, x: f32[b, 3, h, w],
             label: idx[10][b]) -> (Tiny, Moments[Tiny], f32, i32) =
  training_step(fn (q) -> tiny(q, x), fn (g) -> g, p, s, step, lr, r, label)
`;

const loader: Loader = {
  load(path) {
    const name = path.replace("./", "");
    const source = modelSources[name];
    return source === undefined ? null : { name: `${name}.fec`, text: source };
  },
};

/** The model as the package's own are. */
export function tinyModel(): Model {
  const module = loadModule({ name: "tiny.fec", text }, { loader });
  if (module.diagnostics.length > 0) throw new Error(module.diagnostics.map((d) => d.message).join("\n"));
  const top = module.program.main.exports.get("tiny");
  const type = top?.kind === "function" ? top.params[0]!.type : null;
  const [p] = module.shapes("tiny", { dims: { b: 1, h: 32, w: 32 } }).params;
  return {
    name: "tiny",
    forward: (dims) => module.compile("tiny", { dims: { ...dims } }),
    step: (dims) => module.compile("tiny_step", { dims: { ...dims }, training: true }),
    parameters: type === null ? [] : checkpointTensors(type, p!.shape),
  };
}
