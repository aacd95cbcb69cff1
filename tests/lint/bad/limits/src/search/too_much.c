struct wide {
@13     int f#, g#;
};

static int long_one(int total)
{
@118     total++;
    return total;
}

static int longish_one(int total)
{
@90     total++;
    return total;
}

static int greedy(int a, int b, int c, int (*d)(int, int), int e, int f, int g)
{
    return a + b + c + d(e, f) + g;
}

static int deep(int a)
{
    const int table[2][2] = { { 1, 2 }, { 3, 4 } };
    if (a) {
        for (;;) {
            while (a) {
                if (a > 1) {
                    do {
                        a -= table[0][0];
                    } while (a > 5);
                }
            }
        }
    }
    return a;
}

static int branchy(int a)
{
    if (a == 1 || a == 2 || a == 3 || a == 4 || a == 5 || a == 6 || a == 7 || a == 8)
        a = a > 3 && a < 7 ? 1 : 2;
    for (int i = 0; i < a && i < 9; i++)
        a += i;
    while (a > 100 && a < 1000)
        a--;
    switch (a) {
    case 1: return 2;
    case 2: return 3;
    default: return long_one(a) + longish_one(a) + greedy(a, a, a, 0, a, a, a) + deep(a);
    }
}
