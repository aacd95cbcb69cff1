import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// `npm run dev` talks to a server that runs: PD_PAGE_SERVER=http://127.0.0.1:7733 npm run dev
declare const process: { env: Record<string, string | undefined> };
const server = process.env.PD_PAGE_SERVER ?? 'http://127.0.0.1:7733';

// The server answers every address of the page with index.html; so does `npm run dev`.
export default defineConfig({
  plugins: [svelte({ compilerOptions: { runes: true } })],
  server: { proxy: { '/api': server } },
  build: {
    target: ['chrome123', 'firefox120', 'safari17.5'], // the first ones that know light-dark()
    assetsInlineLimit: 0, // the policy allows no data: address
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // Fixed names without hashes: dist is committed, and embedded into the program by name.
    rollupOptions: {
      output: {
        entryFileNames: 'app.js',
        chunkFileNames: 'assets/[name].js',
        assetFileNames: (asset) =>
          asset.names.some((name) => name === 'index.css' || name === 'style.css') ? 'style.css' : 'assets/[name][extname]',
      },
    },
  },
  worker: { format: 'es', rollupOptions: { output: { entryFileNames: 'assets/[name].js' } } },
});
