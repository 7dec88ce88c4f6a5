// What the generator says of the README's first query is what a caller may rely on.
import type { Readme1Query } from "./gen/graphql.js";

export const version = (found: Readme1Query): number | undefined => found.byKey?.version;
