import { mount } from 'svelte';
import App from './App.svelte';
import { live } from './snapshot.svelte.ts';
import './styles/index.css';
import { theme } from './theme.svelte.ts';

theme.apply();
live.start();
const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
mount(App, { target });
