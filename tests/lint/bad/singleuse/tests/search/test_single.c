int main(void)
{
    return pd_search_tested(1) + pd_seam(2) + pd_only_tested(3);
}
