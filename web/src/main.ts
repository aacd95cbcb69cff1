import { mount } from 'svelte';
import './styles/index.css'; // first: a screen's own layout comes after it
import App from './App.svelte';
import { live } from './snapshot.svelte.ts';
import { theme } from './theme.svelte.ts';

theme.apply();
live.start();
const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
target.replaceChildren();
mount(App, { target });
