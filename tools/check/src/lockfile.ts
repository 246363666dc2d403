/** The part of `package-lock.json` that is read here. */
export interface Lockfile {
  readonly packages: Readonly<Record<string, LockfileEntry>>;
}

/** One package of a lock file. */
export interface LockfileEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly inBundle?: boolean;
  readonly extraneous?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * What is wrong with a lock file, one line a finding; empty when nothing is.
 *
 * - An optional platform package that a package names and the lock lacks makes `npm ci` fail on that platform, although
 *   `npm install` works.
 * - A `resolved` address ties the lock to one registry, so it does not install from a mirror.
 * - Without an integrity hash nobody notices when a package is exchanged.
 * - An extraneous entry is what an interrupted install left.
 *
 * @param lockfile The parsed `package-lock.json`.
 * @param incompletePublications Packages whose platform packages were never all published, with the reason why that
 *   is borne, by their path in the lock file.
 */
export function lockfileFindings(
  lockfile: Lockfile,
  incompletePublications: Readonly<Record<string, string>> = {},
): string[] {
  const entries = Object.entries(lockfile.packages);
  const present = new Set(entries.map(([path]) => path.replace(/^.*node_modules\//, '')));
  return entries.flatMap(([path, entry]) => {
    const installed = path.includes('node_modules/') && !entry.link && !entry.inBundle;
    return [
      ...Object.keys(entry.optionalDependencies ?? {})
        .filter((name) => !present.has(name) && !(path in incompletePublications))
        .map((name) => `${path}@${entry.version} names ${name}, which has no entry`),
      ...(entry.resolved?.includes('://') ? [`${path} is tied to ${new URL(entry.resolved).host}`] : []),
      ...(installed && !entry.integrity ? [`${path} has no integrity hash`] : []),
      ...(entry.extraneous ? [`${path} is extraneous`] : []),
    ];
  });
}
