/** Where a training run's figures go: a file, TensorBoard, MLflow. */
export interface Tracker {
  readonly specVersion: 1;
  readonly name: string;
  /** Starts or resumes a run. */
  open(run: { readonly folder: string; readonly name: string; readonly config: unknown }): Promise<TrackedRun>;
}

/** A run in progress. */
export interface TrackedRun {
  /** Notes figures of a step, by name; steps rise, but for a resumed run that repeats its last ones. */
  log(step: number, figures: Readonly<Record<string, number>>): void;
  /** Writes what is held back, and ends. */
  close(): Promise<void>;
}
