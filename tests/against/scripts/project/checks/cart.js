import { send } from "cutover:hook/http-client@0.1.0";

export const smokeTest = { validate: () => [], run: () => [] };
