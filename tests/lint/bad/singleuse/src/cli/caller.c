static int sum_twice(const int *list, int n)
{
    int sum = 0;
    for (int i = 0; i < n; i++)
        sum += 2 * list[i]; /* the same words */
    return sum;
}
int main(void)
{
    return pd_search_called(sum_twice(0, 0));
}
