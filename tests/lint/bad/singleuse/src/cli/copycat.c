static int sum_double(const int *list, int n)
{
    int sum = 0;
    for (int i = 0; i < n; i++)
        sum += 2 * list[i];
    return sum;
}
