/** Which user of whom. */
export interface UserKey {
  readonly tenant: string;
  readonly user: string;
}

/** What is kept of a user between requests. */
export interface UserState {
  /** Hash of the encoder and its vocabularies: a state of another encoder is of no use. */
  readonly encoder: string;
  /** How many events the state has seen; rises with every event appended. */
  readonly watermark: number;
  /**
   * Bytes of whoever made the state, which stores keep and never read: a model's are safetensors of embeddings and of what
   * the encoder needs to append an event; a server's hold these and the events beside them.
   */
  readonly state: Uint8Array;
  /** Which life of the user it is of: absent in the first; a deleted user who comes back has one of its own each time. */
  readonly generation?: string | undefined;
}

/** Keeps users' states: embedded in the server, or shared by several. */
export interface UserStore {
  readonly specVersion: 1;
  readonly name: string;
  get(key: UserKey): Promise<UserState | undefined>;
  /**
   * Replaces a state, if it is still of the generation and at the watermark that the caller has read.
   *
   * @param expected What was read, or `undefined` when there was no state. `deleted` lets a deleted user come back: the
   *   state then needs a generation that the user never had, so that no reader of an earlier one can replace it.
   * @returns Whether it was; if not, read again and append again.
   */
  put(
    key: UserKey,
    state: UserState,
    expected: Pick<UserState, 'generation' | 'watermark'> | 'deleted' | undefined,
  ): Promise<boolean>;
  /** Deletes everything of a user, for good: every `put` is refused from now on but one that expects `deleted`. */
  delete(key: UserKey): Promise<void>;
  close(): Promise<void>;
}
