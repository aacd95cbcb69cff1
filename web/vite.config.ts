import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

// `npm run dev` talks to a server that runs: PD_PAGE_SERVER=http://127.0.0.1:7733 npm run dev
declare const process: { env: Record<string, string | undefined> };
const server = process.env.PD_PAGE_SERVER ?? 'http://127.0.0.1:7733';

// What most visits need next: fetched beside the first files instead of after the first answer. Start needs it a moment later.
const ahead: Plugin = {
  name: 'ahead',
  transformIndexHtml: {
    order: 'post',
    handler: (_html, { bundle }) =>
      ['assets/Explore.js', 'assets/Explore.css']
        .filter((name) => bundle && name in bundle)
        .map((name) => ({
          tag: 'link',
          attrs: name.endsWith('.js') ? { rel: 'modulepreload', crossorigin: true, href: `/${name}` } : { rel: 'preload', as: 'style', crossorigin: true, href: `/${name}` },
          injectTo: 'head',
        })),
  },
};

// The server answers every address of the page with index.html; so does `npm run dev`.
export default defineConfig({
  plugins: [svelte({ compilerOptions: { runes: true } }), ahead],
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
