export { familyChecks, type FamilyUnderTest } from './family-checks.js';
