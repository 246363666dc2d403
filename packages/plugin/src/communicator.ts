/** The processes of one training run: alone, or several machines. */
export interface Communicator {
  readonly specVersion: 1;
  readonly name: string;
  /** Which of the processes this is, from 0. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
  /** Replaces the numbers by their sums over all processes, the same bits in each. */
  sum(values: Float32Array): Promise<void>;
  /** Replaces the bytes by those of the process `from`. */
  broadcast(bytes: Uint8Array, from: number): Promise<void>;
  /** Ends when all processes have come here. */
  barrier(): Promise<void>;
  close(): Promise<void>;
}
