/** How long locks live and what moments they are given. All pods have the same. */
export interface Timing {
  /** As the server's settings `lock-ttl-ms` and `lock-buffer-ms`. */
  ttlMs: number;
  bufferMs: number;
  /** Above the longest commit upstream and the difference of the clocks there. */
  lagMs: number;
  alignSeconds: number;
}
