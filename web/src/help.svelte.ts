// Whether the list of keys is open: `?` anywhere, or a button in the head.

class Help {
  open = $state(false);
}

export const help = new Help();
