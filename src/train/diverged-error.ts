/**
 * Training that has gone out of its bounds.
 *
 *     error: step 340: network.0.0.mlp.fc1.weight is not finite any more
 *       = help: go on from the last checkpoint with a smaller learning rate: …
 */

/** The loss, a parameter or a moment is infinite or NaN. What was saved before is finite. */
export class DivergedError extends Error {
  override readonly name = "DivergedError";
  readonly notes: readonly string[];
  readonly help: string;
  constructor(
    /** The steps that had been taken when it was seen. */
    readonly step: number,
    /** The first tensor that is not finite, by its official name, or `the loss`. */
    readonly tensor: string,
    /** The last checkpoint. */
    readonly checkpoint: string,
  ) {
    super(`after ${step} steps ${tensor} is not finite`);
    this.notes = [`${checkpoint} is from before, and was kept`];
    this.help =
      "train with a smaller --lr or a longer --warm-up; `--weights` of that checkpoint begins a new run where it is";
  }
}
