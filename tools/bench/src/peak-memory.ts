import { readFileSync } from 'node:fs';

/** The most memory this process has held at one time, in bytes. */
export function peakMemory(): number {
  // Where Linux tells, it is asked: what `resourceUsage` gives there may be the parent's, from before this program began.
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}
