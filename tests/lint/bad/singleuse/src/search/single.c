int pd_search_called(int a)
{
    return pd_lonely(a) + pd_seam(a);
}
int pd_search_offered(int a)
{
    return a;
}
int pd_search_tested(int a)
{
    return a;
}
int pd_used_by_macro(int a)
{
    return a;
}
int pd_lonely(int a)
{
    return a;
}
int pd_seam(int a)
{
    return a;
}
int pd_dead(int a)
{
    return a;
}
int pd_only_tested(int a)
{
    return a;
}
