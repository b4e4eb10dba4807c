/** Adaptive average pooling as a matrix, for systems that have no such operation: [side², h²], a row for each window. */
export function poolingMatrix(h: number, side: number): Float32Array {
  const matrix = new Float32Array(side * side * h * h);
  const window = (p: number): readonly [number, number] => [
    Math.floor((p * h) / side),
    Math.ceil(((p + 1) * h) / side),
  ];
  for (let m = 0; m < side * side; m++) {
    const [[top, bottom], [left, right]] = [window(Math.floor(m / side)), window(m % side)];
    const weight = 1 / ((bottom - top) * (right - left));
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++) matrix[(m * h + y) * h + x] = weight;
  }
  return matrix;
}
