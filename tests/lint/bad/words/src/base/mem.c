void *pd_mem_take(void)
{
    return malloc(1);
}
