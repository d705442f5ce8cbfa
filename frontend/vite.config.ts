import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { guides } from "./scripts/guides.mjs";

const server = process.env.FAIRLEAD_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [guides(), react()],
  build: {
    outDir: "../gateway/static",
    emptyOutDir: true,
    chunkSizeWarningLimit: 4000,
    rollupOptions: {
      input: ["index.html", "graphiql.html"],
      onLog: (level, log, report) => {
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") report(level, log);
      },
    },
  },
  server: {
    fs: { allow: [".", "../docs"] },
    proxy: {
      "/graphql": { target: server, ws: true },
      "/session": server,
      "/v1": server,
    },
  },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
});
