export declare const HOSTILE: readonly string[];
