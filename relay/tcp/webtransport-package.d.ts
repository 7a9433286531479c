/** For the compiler only: the package has types for Node alone. What is used of it is in package-objects.ts. */
declare module "@fails-components/webtransport";
