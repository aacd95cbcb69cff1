int loud(void);
int *pd_next(void);

int loud(void)
{
    return 1;
}

int *pd_next(void)
{
    static int count = 7;
    static const int *const table[] = { &count };
    count++;
    return (int *)table[0];
}
