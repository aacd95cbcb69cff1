static void eight(int a, int b, int c, int d, int e, int f, int g, int h)
{
    (void)(a + b + c + d + e + f + g + h);
}
