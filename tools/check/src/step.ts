/** One thing that `check` looks at. */
export interface Step {
  /** What it is called on the command line. */
  readonly name: string;
  /** What it holds, in one line. */
  readonly description: string;
  /** Looks, and never changes a source file. */
  run(context: StepContext): Promise<StepResult>;
}

/** Where a step looks. */
export interface StepContext {
  /** The root folder of the clone. */
  readonly root: string;
}

/** What a step found. */
export interface StepResult {
  readonly passed: boolean;
  /** Shown when the step failed, or when it has something to say all the same (a count, a notice). */
  readonly detail: string;
}
