/**
 * The workloads in jax-js on WebGPU, each jitted as a whole. jax-js counts references: an operation consumes its arguments, `.ref`
 * keeps one for later. Groups are g, channels d, points n, centers o.
 */
import { arrayOf, dimensions } from "../workloads/workload.ts";
import { similarityScale } from "../workloads/clustering.ts";
import { adamwRecipe } from "../workloads/adamw.ts";
import { trainingRate } from "../workloads/training.ts";
import { addIteratorMethods } from "./iterator-methods.ts";
import { pretendBrowser } from "./dawn.ts";
import { poolingMatrix } from "./pooling-matrix.ts";

addIteratorMethods();
pretendBrowser();
const jax = await import("@jax-js/jax");
const { numpy: np, nn, lax, jit, grad, valueAndGrad, blockUntilReady } = jax;

export async function prepare(workload, inputs) {
  const available = await jax.init("webgpu");
  if (!available.includes("webgpu")) throw new Error(`jax-js finds no WebGPU, only ${available.join(", ")}`);
  jax.defaultDevice("webgpu");
  const make = forms[workload.id] ?? (workload.file === "clustering" ? clusterForm : undefined);
  if (make === undefined) return null;
  const form = make(workload.dims);
  const shapes = new Map(workload.inputs(workload.dims).map(({ name, shape }) => [name, shape]));
  const args = Object.entries(form.shapes ?? Object.fromEntries(shapes)).map(([name, shape]) =>
    np.array(form.constants?.[name] ?? arrayOf(inputs, name), { shape }),
  );
  await blockUntilReady(args);
  const compiled = jit(form.compute);
  const run = async () => {
    const results = [compiled(...args.map((array) => array.ref))].flat();
    await blockUntilReady(results);
    return results;
  };
  return {
    call: async () => (await run()).forEach((array) => array.dispose()),
    results: async () => {
      const data = [];
      for (const array of await run()) data.push(await array.data());
      return data;
    },
  };
}

const gelu = (x) => nn.gelu(x, { approximate: false });

/** `shapes` where inputs are seen with other shapes than the language has them; `constants` that are no inputs. */
const forms = {
  W1: () => ({ compute: (a, b) => np.matmul(a, b) }),
  W2: () => ({
    compute: (x, w1, b1, w2, b2) => {
      const hidden = gelu(np.einsum("oc,bcn->bon", w1, x).add(b1.reshape([-1, 1])));
      return np.einsum("oc,bcn->bon", w2, hidden).add(b2.reshape([-1, 1]));
    },
  }),
  W3: () => ({ compute: (x) => nn.softmax(x, -1) }),
  W4: () => ({
    compute: (x, gain, bias) => {
      const mean = np.mean(x.ref, [1, 2], { keepdims: true });
      const centered = x.sub(mean);
      const variance = np.mean(np.square(centered.ref), [1, 2], { keepdims: true });
      const normal = centered.div(np.sqrt(variance.add(1e-5)));
      return normal.mul(gain.reshape([-1, 1])).add(bias.reshape([-1, 1]));
    },
  }),
  W6: (dims) => {
    const { compute, shapes, constants } = clusterForm(dims);
    const [g, d, h, w] = dimensions(dims, "g", "d", "h", "w");
    const gradient = grad((f, v, alpha, beta, pool, ct) => compute(f, v, alpha, beta, pool).mul(ct).sum(), {
      argnums: [0, 1, 2, 3],
    });
    return { compute: gradient, shapes: { ...shapes, ct: [g, d, h * w] }, constants };
  },
  W8: () => ({ compute: adamw }),
  W9: (dims) => {
    const [b, s] = dimensions(dims, "b", "s");
    const loss = (...args) => networkLoss(b, s, ...args);
    const lossAndGradients = valueAndGrad(loss, { argnums: [0, 1, 2, 3, 4, 5, 6, 7] });
    return {
      compute: (...args) => {
        const [value, gradients] = lossAndGradients(...args.map((array) => array.ref));
        const next = gradients.map((gradient, i) => args[i].ref.sub(gradient.mul(trainingRate)));
        args.forEach((array) => array.dispose());
        return [value, ...next];
      },
    };
  },
};

function clusterForm(dims) {
  const [g, d, h, w, side] = dimensions(dims, "g", "d", "h", "w", "side");
  const centers = side * side;
  const shapes = { f: [g, d, h * w], v: [g, d, h * w], alpha: [], beta: [], pool: [centers, h * w] };
  const constants = {
    alpha: new Float32Array([similarityScale.alpha]),
    beta: new Float32Array([similarityScale.beta]),
    pool: poolingMatrix(h, side),
  };
  const compute = (f, v, alpha, beta, pool) => cluster(f, v, alpha, beta, pooled(pool, h, side), centers);
  return { compute, shapes, constants };
}

/** Means over windows: reshaped where they don't overlap, by a matrix where they do. */
function pooled(pool, h, side) {
  if (h % side !== 0) return (map) => np.matmul(map, np.transpose(pool.ref));
  const length = h / side;
  return (map) => {
    const [g, d] = map.shape;
    return np.mean(map.reshape([g, d, side, length, side, length]), [3, 5]).reshape([g, d, side * side]);
  };
}

function cluster(f, v, alpha, beta, pool, centers) {
  const unit = (x) => x.ref.div(np.maximum(np.sqrt(np.sum(np.square(x), 1, { keepdims: true })), 1e-12));
  const [centerF, centerV] = [pool(f.ref), pool(v.ref)];
  const cosine = np.einsum("gdn,gdo->gno", unit(f), unit(centerF));
  const s = nn.sigmoid(cosine.mul(alpha).add(beta));
  const mask = nn.oneHot(np.argmax(lax.stopGradient(s.ref), -1), centers);
  const size = np.sum(mask.ref, 1, { keepdims: true }).add(1);
  const representatives = np.einsum("gno,gdn->gdo", mask.ref, v).add(centerV).div(size);
  return np.einsum("gdo,gno->gdn", representatives, s.mul(mask));
}

function adamw(p, g, m, v) {
  const { rate, beta1, beta2, epsilon, decay, step } = adamwRecipe;
  const mean = m.mul(beta1).add(g.ref.mul(1 - beta1));
  const square = v.mul(beta2).add(np.square(g).mul(1 - beta2));
  const root = np.sqrt(square.ref.mul(1 / (1 - beta2 ** step))).add(epsilon);
  const next = p.mul(1 - rate * decay).sub(mean.ref.mul(rate / (1 - beta1 ** step)).div(root));
  return [next, mean, square];
}

function networkLoss(b, s, wp, bp, w1, c1, w2, c2, w3, c3, x, y) {
  const h0 = gelu(np.matmul(x, wp).add(bp));
  const h1 = gelu(np.matmul(h0.ref, w1).add(c1));
  const h2 = h0.add(np.matmul(h1, w2)).add(c2);
  const logits = np.matmul(np.mean(h2.reshape([b, s, -1]), 1), w3).add(c3);
  return nn
    .logSoftmax(logits, -1)
    .mul(y)
    .sum()
    .mul(-1 / b);
}
